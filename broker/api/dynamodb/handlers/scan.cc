// Scan: the items of a table or an index in the order of their keys. Segments share the hash keys out.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_key.h"
#include "broker/api/dynamodb/page.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

constexpr std::int64_t kSegmentsMax = 1'000'000;

struct Segment {
  std::uint64_t number = 0;
  std::uint64_t total = 1;
};

const api::Shape& Input() {
  static const api::Shape number = api::Shape::Integer().Range(0, kSegmentsMax - 1);
  static const api::Shape total = api::Shape::Integer().Range(1, kSegmentsMax);
  static const api::Shape shape =
      PageShape().Member("ScanFilter", MapShape()).Member("Segment", number).Member("TotalSegments", total);
  return shape;
}

ApiResult<Segment> SegmentOf(api::Value input) {
  const auto number = IntegerOf(input, "Segment");
  const auto total = IntegerOf(input, "TotalSegments");
  if (!number && !total) return Segment{};
  if (!total)
    return std::unexpected(
        Validation("The TotalSegments parameter is required but was not present in the request when Segment parameter "
                   "is present"));
  if (!number)
    return std::unexpected(
        Validation("The Segment parameter is required but was not present in the request when parameter TotalSegments "
                   "is present"));
  if (*number < *total) return Segment{static_cast<std::uint64_t>(*number), static_cast<std::uint64_t>(*total)};
  return std::unexpected(Validation(fmt::format(
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {} is not "
      "less than TotalSegments: {}",
      *number, *total)));
}

/// Which of the segments a hash key belongs to (FNV-1a: the same at every start).
bool IsIn(const Segment& segment, const KeySchema& keys, const Item& item) {
  if (segment.total == 1) return true;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : KeyPart(item.find(keys.hash.name)->second)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash % segment.total == segment.number;
}

/// All items of a segment of an index behind the start, in the index's order.
std::vector<StoredItemPtr> ReadIndex(const PageRequest& request, const Segment& segment) {
  std::vector<std::pair<std::string, StoredItemPtr>> placed;
  const std::string start = request.start ? PlaceOf(request, *request.start) : "";
  for (StoredItemPtr& item : request.table->Read({}, {}, SIZE_MAX)) {
    if (!KeyInIndex(request.index->keys, item->item) || !IsIn(segment, request.index->keys, item->item)) continue;
    std::string place = PlaceOf(request, item->item);
    if (place > start) placed.emplace_back(std::move(place), std::move(item));
  }
  std::ranges::sort(placed);
  std::vector<StoredItemPtr> items;
  for (auto& [place, item] : placed) items.push_back(std::move(item));
  return items;
}

/// As many of them as one page looks at, and one more.
std::vector<StoredItemPtr> ReadTable(const PageRequest& request, const Segment& segment) {
  std::string after = request.start ? PlaceOf(request, *request.start) : "";
  std::vector<StoredItemPtr> items;
  std::size_t bytes = 0;
  while (true) {
    const std::vector<StoredItemPtr> read = request.table->Read({}, after, kPageBytesMax);
    for (const StoredItemPtr& item : read) {
      if (!IsIn(segment, request.info->keys, item->item)) continue;
      if (bytes >= kPageBytesMax || (request.limit && items.size() > *request.limit)) return items;
      items.push_back(item);
      bytes += item->bytes;
    }
    if (read.empty()) return items;
    after = read.back()->key;
  }
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const api::Value input = call.input();
  auto holders = Placeholders::Read(input);
  if (!holders) return std::unexpected(std::move(holders.error()));
  auto request = ReadPageRequest(store, input, *holders);
  if (!request) return std::unexpected(std::move(request.error()));
  auto filter = FilterOf(input, "ScanFilter", *holders);
  if (!filter) return std::unexpected(std::move(filter.error()));
  request->filter = std::move(*filter);
  if (auto used = holders->CheckAllUsed(); !used) return std::unexpected(std::move(used.error()));
  const auto segment = SegmentOf(input);
  if (!segment) return std::unexpected(segment.error());
  const auto items = request->index != nullptr ? ReadIndex(*request, *segment) : ReadTable(*request, *segment);
  return WritePage(*request, call, items);
}

}  // namespace

aws::Operation Scan(TableStore& store) { return Blocking("Scan", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb

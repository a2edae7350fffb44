// One rule for all stores, so that a bucket can move from one to another: the strictest, which is a file system's.
#include <fmt/format.h>

#include <algorithm>

#include "broker/delivery/object_store.h"
#include "broker/delivery/prefix.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kSegmentBytesMax = 255;

}  // namespace

Status CheckObjectKey(std::string_view key) {
  const auto invalid = [&](std::string_view why) {
    return Status(Code::kInvalidArgument, fmt::format("'{}' cannot be an object's key here: {}", key, why));
  };
  if (key.empty() || key.size() > kKeyBytesMax) return invalid(fmt::format("it must have 1 to {} bytes", kKeyBytesMax));
  if (SafeKey(key) != key || key.back() == '/')
    return invalid("it has an empty or dotted segment or a control character");
  if (key.starts_with(".sluice/")) return invalid("'.sluice' is kept for spools");
  for (std::size_t begin = 0; begin < key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    if (end - begin > kSegmentBytesMax)
      return invalid(fmt::format("a segment has more than {} bytes", kSegmentBytesMax));
    begin = end + 1;
  }
  return Status();
}

}  // namespace sluice::delivery

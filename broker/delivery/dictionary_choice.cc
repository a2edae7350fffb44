// Looks at the first batch of rows and counts how often the values of each leaf column repeat.
#include "broker/delivery/dictionary_choice.h"

#include <arrow/api.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kSampleMax = 2048;
constexpr std::int64_t kSampleMin = 64;  // fewer values: too little is known, and a dictionary of few costs little
constexpr std::size_t kSlots = 4 * kSampleMax;

// Counts distinct values by their hash; a collision of 64 bits does no harm here.
class DistinctCounter {
 public:
  void Add(std::string_view value) {
    ++values_;
    std::uint64_t hash = XXH3_64bits(value.data(), value.size()) | 1;  // 0 stands for an empty slot
    for (std::size_t i = hash % kSlots;; i = (i + 1) % kSlots) {
      if (slots_[i] == hash) return;
      if (slots_[i] != 0) continue;
      slots_[i] = hash;
      ++distinct_;
      return;
    }
  }
  bool WorthDictionary() const { return values_ < kSampleMin || distinct_ * 2 <= values_; }

 private:
  std::array<std::uint64_t, kSlots> slots_{};
  std::int64_t values_ = 0;
  std::int64_t distinct_ = 0;
};

bool JudgeLeaf(const arrow::Array& leaf) {
  DistinctCounter counter;
  std::int64_t sample = std::min(leaf.length(), kSampleMax);
  if (leaf.type_id() == arrow::Type::STRING || leaf.type_id() == arrow::Type::BINARY) {
    const auto& bytes = static_cast<const arrow::BinaryArray&>(leaf);
    for (std::int64_t i = 0; i < sample; ++i) {
      if (bytes.IsValid(i)) counter.Add(bytes.GetView(i));
    }
    return counter.WorthDictionary();
  }
  if (leaf.type_id() == arrow::Type::BOOL) return false;
  auto width = static_cast<std::size_t>(static_cast<const arrow::FixedWidthType&>(*leaf.type()).bit_width() / 8);
  SLUICE_CHECK(width > 0);
  const auto* values = reinterpret_cast<const char*>(leaf.data()->buffers[1]->data());
  for (std::int64_t i = 0; i < sample; ++i) {
    if (leaf.IsValid(i)) counter.Add(std::string_view(values + static_cast<std::size_t>(i) * width, width));
  }
  return counter.WorthDictionary();
}

void JudgeLeaves(const arrow::Array& array, std::vector<bool>& out) {
  switch (array.type_id()) {
    case arrow::Type::STRUCT:
      for (const auto& child : static_cast<const arrow::StructArray&>(array).fields()) JudgeLeaves(*child, out);
      return;
    case arrow::Type::LIST:
      return JudgeLeaves(*static_cast<const arrow::ListArray&>(array).values(), out);
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      JudgeLeaves(*map.keys(), out);
      return JudgeLeaves(*map.items(), out);
    }
    default:
      out.push_back(JudgeLeaf(array));
  }
}

}  // namespace

std::vector<bool> ChooseDictionaries(const arrow::RecordBatch& rows) {
  std::vector<bool> choices;
  for (const auto& column : rows.columns()) JudgeLeaves(*column, choices);
  return choices;
}

}  // namespace sluice::delivery

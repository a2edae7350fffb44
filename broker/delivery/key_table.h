// KeyTable: from a JSON key to the column that takes it, fast where the keys of an object come in the order they came
// last time.
//
// Every key that was seen is an entry; an entry remembers which entry followed it. A key is first compared with the
// entry that is expected, byte for byte, and only looked up by hash where that fails. Case, dots and mappings are
// resolved once a key. Threads: one at a time. Memory: at most kEntriesMax keys are remembered, each of kKeyBytesMax at
// most.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/delivery/row_converter.h"
#include "broker/delivery/schema.h"

namespace sluice::delivery {

class KeyTable {
 public:
  /// The answer for a key that no column takes.
  static constexpr int kNoColumn = -1;
  /// Bytes that may be read past the closing quote of any key given to Find.
  static constexpr std::size_t kPadding = 64;

  KeyTable() = default;
  /// kInvalidArgument where two fields would take the same key.
  static Result<KeyTable> New(const std::vector<Field>& fields, const ConverterOptions& options);

  /// Call at the start of each object.
  void Rewind() { at_ = 0; }

  /// The place in `fields` of the column for `raw`, the key's bytes as they stand in the JSON behind the opening quote.
  int Find(const char* raw) {
    const Entry& guess = entries_[entries_[at_].next];
    std::uint64_t head = 0;
    std::memcpy(&head, raw, sizeof(head));
    if ((head & guess.head_mask) == guess.head && EndsLike(raw, guess)) {
      at_ = entries_[at_].next;
      return guess.column;
    }
    return FindSlow(raw);
  }

 private:
  static constexpr std::size_t kEntriesMax = 8192;
  static constexpr std::size_t kKeyBytesMax = kPadding;

  // Entry 0 stands for "before the first key"; no key is like it.
  struct Entry {
    Entry() = default;
    Entry(std::string_view key, int column_of_key) : quoted(std::string(key) + '"'), column(column_of_key) {
      std::size_t bytes = std::min(quoted.size(), sizeof(head));
      head = 0;
      std::memcpy(&head, quoted.data(), bytes);
      std::memset(&head_mask, 0xff, bytes);
    }
    std::string quoted;      // the key and its closing quote
    std::uint64_t head = 1;  // its first bytes, compared at once: most keys are no longer
    std::uint64_t head_mask = 0;
    int column = kNoColumn;
    std::size_t next = 0;
  };
  static bool EndsLike(const char* raw, const Entry& entry) {
    constexpr std::size_t kHead = sizeof(entry.head);
    std::size_t size = entry.quoted.size();
    return size <= kHead || std::memcmp(raw + kHead, entry.quoted.data() + kHead, size - kHead) == 0;
  }
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  int FindSlow(const char* raw);
  int Resolve(std::string_view key) const;

  bool case_insensitive_ = true;
  bool dots_to_underscores_ = false;
  Map<int> columns_;
  Map<int> mapped_keys_;
  std::vector<Entry> entries_{Entry()};
  Map<std::size_t> entry_of_key_;
  std::size_t at_ = 0;
};

}  // namespace sluice::delivery

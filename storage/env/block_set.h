// A set of block numbers of one file: a mark per block, since files are written in long runs of blocks.
//
// Threads: none of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::storage {

class BlockSet {
 public:
  /// Blocks [begin, end).
  void Add(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    if (marks_.size() < end) marks_.resize(end, false);
    std::fill(Mark(begin), Mark(end), true);
  }
  void Remove(std::uint64_t begin, std::uint64_t end) {
    end = std::min<std::uint64_t>(end, marks_.size());
    if (begin < end) std::fill(Mark(begin), Mark(end), false);
  }
  void RemoveFrom(std::uint64_t begin) {
    if (begin < marks_.size()) marks_.resize(begin);
  }
  void Clear() { marks_.clear(); }
  void Merge(const BlockSet& other) {
    other.ForEachRun([this](std::uint64_t begin, std::uint64_t end) { Add(begin, end); });
  }

  /// Calls `run(begin, end)` for each run of blocks [begin, end), ascending.
  template <typename Run>
  void ForEachRun(Run run) const {
    for (auto begin = std::find(marks_.begin(), marks_.end(), true); begin != marks_.end();) {
      const auto end = std::find(begin, marks_.end(), false);
      run(static_cast<std::uint64_t>(begin - marks_.begin()), static_cast<std::uint64_t>(end - marks_.begin()));
      begin = std::find(end, marks_.end(), true);
    }
  }

 private:
  std::vector<bool>::iterator Mark(std::uint64_t block) { return marks_.begin() + static_cast<std::ptrdiff_t>(block); }

  std::vector<bool> marks_;  // by block number
};

}  // namespace sluice::storage

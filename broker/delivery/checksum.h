// XXH3-64 of bytes that come in pieces: how the ledger knows an object again. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace sluice::delivery {

class Checksum {
 public:
  Checksum();
  ~Checksum();
  void Add(std::string_view bytes);
  /// Of the bytes so far.
  std::uint64_t value() const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::delivery

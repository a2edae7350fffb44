// The least that turning JSON lines into compressed columns costs: simdjson, plain column buffers, a small dictionary
// for columns with few values, one compressor. No nulls, no checks, no file format: a bound, not a writer.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace sluice::tools {

enum class BoundCompression { kNone, kSnappy, kZstd1 };

class ConvertBound {
 public:
  explicit ConvertBound(BoundCompression compression);
  ~ConvertBound();

  /// Bytes that came out. `lines` are JsonLine's, each followed by a line break.
  std::uint64_t Run(std::string_view lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Bytes of a gzip file of `text` by ISA-L at level 1, in one run.
std::uint64_t GzipBound(std::string_view text);

}  // namespace sluice::tools

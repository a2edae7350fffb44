// One pass over the lines with simdjson into plain buffers, then the compressor over each column.
#include "tools/bench/convert_bound.h"

#include <isa-l/igzip_lib.h>
#include <simdjson.h>
#include <snappy.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <vector>

#include "protocol/check.h"

namespace sluice::tools {
namespace {

constexpr std::size_t kDictionaryMax = 256;
constexpr std::size_t kSlots = 1024;
constexpr std::size_t kPageBytes = 1 << 20;
constexpr std::size_t kPieceBytes = 1 << 20;  // parsed and compressed at once

// Strings as lengths and bytes, or as the numbers of at most kDictionaryMax distinct ones.
class TextColumn {
 public:
  void Add(std::string_view text) {
    if (in_dictionary_ && Number(text)) return;
    if (in_dictionary_) {
      in_dictionary_ = false;
      for (std::uint32_t number : numbers_) Put(values_[number]);
    }
    Put(text);
  }
  void Clear() {
    in_dictionary_ = true;
    slots_.fill(0);
    values_.clear();
    numbers_.clear();
    plain_.clear();
  }
  bool in_dictionary() const { return in_dictionary_; }
  std::string_view plain() const { return plain_; }
  std::size_t width() const {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::bit_width(values_.size())));
  }
  std::size_t count() const { return numbers_.size(); }

 private:
  bool Number(std::string_view text) {
    std::size_t slot = XXH3_64bits(text.data(), text.size()) % kSlots;
    while (slots_[slot] != 0) {
      if (values_[slots_[slot] - 1] == text) {
        numbers_.push_back(slots_[slot] - 1);
        return true;
      }
      slot = (slot + 1) % kSlots;
    }
    if (values_.size() == kDictionaryMax) return false;
    values_.emplace_back(text);
    slots_[slot] = static_cast<std::uint32_t>(values_.size());
    numbers_.push_back(slots_[slot] - 1);
    return true;
  }
  void Put(std::string_view text) {
    auto length = static_cast<std::uint32_t>(text.size());
    plain_.append(reinterpret_cast<const char*>(&length), sizeof(length));
    plain_ += text;
  }

  bool in_dictionary_ = true;
  std::array<std::uint32_t, kSlots> slots_{};
  std::vector<std::string_view> values_;  // into the text of the piece
  std::vector<std::uint32_t> numbers_;
  std::string plain_;
};

struct Columns {
  std::array<TextColumn, 9> texts;
  std::array<std::vector<std::int64_t>, 3> integers;
  std::vector<double> latency;
  std::vector<std::uint8_t> cached;

  void Clear() {
    for (TextColumn& column : texts) column.Clear();
    for (auto& column : integers) column.clear();
    latency.clear();
    cached.clear();
  }
};

// `lines` has simdjson's padding behind it.
void Parse(simdjson::ondemand::parser& parser, std::string_view lines, std::size_t allocated, Columns& out) {
  constexpr std::array<const char*, 9> kTexts = {"ts", "event_id", "level", "region", "session",
                                                 "ip", "method",   "path",  "msg"};
  simdjson::ondemand::document_stream stream;
  simdjson::padded_string_view padded(lines, allocated);
  SLUICE_CHECK(parser.iterate_many(padded.data(), padded.size(), 2 * kPieceBytes).get(stream) == simdjson::SUCCESS);
  for (auto document : stream) {
    auto object = document.get_object();
    for (std::size_t i = 0; i < 4; ++i) out.texts[i].Add(object[kTexts[i]].get_string());
    out.integers[0].push_back(object["user_id"].get_int64());
    for (std::size_t i = 4; i < 8; ++i) out.texts[i].Add(object[kTexts[i]].get_string());
    out.integers[1].push_back(object["status"].get_int64());
    out.latency.push_back(object["latency_ms"].get_double());
    out.integers[2].push_back(object["bytes"].get_int64());
    out.cached.push_back(object["cached"].get_bool() ? 1 : 0);
    out.texts[8].Add(object[kTexts[8]].get_string());
  }
}

class Compressor {
 public:
  explicit Compressor(BoundCompression compression)
      : compression_(compression), zstd_(ZSTD_createCCtx(), ZSTD_freeCCtx) {}

  std::uint64_t Run(const void* data, std::size_t bytes) {
    std::string_view rest(static_cast<const char*>(data), bytes);
    std::uint64_t total = 0;
    for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kPageBytes)))
      total += Page(rest.substr(0, kPageBytes));
    return total;
  }

 private:
  std::size_t Page(std::string_view page) {
    std::size_t out = page.size();
    switch (compression_) {
      case BoundCompression::kNone:
        room_.assign(page.begin(), page.end());
        break;
      case BoundCompression::kSnappy:
        room_.resize(snappy::MaxCompressedLength(page.size()));
        snappy::RawCompress(page.data(), page.size(), room_.data(), &out);
        break;
      case BoundCompression::kZstd1:
        room_.resize(ZSTD_compressBound(page.size()));
        out = ZSTD_compressCCtx(zstd_.get(), room_.data(), room_.size(), page.data(), page.size(), 1);
        break;
    }
    return out;
  }

  BoundCompression compression_;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd_;
  std::vector<char> room_;
};

}  // namespace

struct ConvertBound::State {
  explicit State(BoundCompression compression) : compressor(compression), text(2 * kPieceBytes) {}

  std::uint64_t Encode() {
    std::uint64_t total = 0;
    for (const TextColumn& column : columns.texts) {
      if (column.in_dictionary()) {
        packed.resize(column.count() * column.width() / 8 + 1);  // its packing is not worth measuring
        total += compressor.Run(packed.data(), packed.size());
      } else {
        total += compressor.Run(column.plain().data(), column.plain().size());
      }
    }
    for (const auto& column : columns.integers)
      total += compressor.Run(column.data(), column.size() * sizeof(column[0]));
    total += compressor.Run(columns.latency.data(), columns.latency.size() * sizeof(double));
    return total + compressor.Run(columns.cached.data(), columns.cached.size() / 8);
  }

  simdjson::ondemand::parser parser;
  Columns columns;
  Compressor compressor;
  std::vector<char> text;
  std::vector<char> packed;
};

ConvertBound::ConvertBound(BoundCompression compression) : state_(std::make_unique<State>(compression)) {}
ConvertBound::~ConvertBound() = default;

std::uint64_t ConvertBound::Run(std::string_view lines) {
  std::uint64_t total = 0;
  while (!lines.empty()) {
    std::size_t end = lines.size() <= kPieceBytes ? lines.size() : lines.rfind('\n', kPieceBytes) + 1;
    std::ranges::copy(lines.substr(0, end), state_->text.begin());
    state_->columns.Clear();
    Parse(state_->parser, std::string_view(state_->text.data(), end), state_->text.size(), state_->columns);
    total += state_->Encode();
    lines.remove_prefix(end);
  }
  return total;
}

std::uint64_t GzipBound(std::string_view text) {
  isal_zstream stream{};
  isal_deflate_init(&stream);
  std::vector<std::uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  std::vector<std::uint8_t> out(kPageBytes);
  stream.level = 1;
  stream.level_buf = level_buffer.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  do {
    stream.next_out = out.data();
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    SLUICE_CHECK(isal_deflate(&stream) == COMP_OK);
  } while (stream.avail_out == 0);
  return stream.total_out;
}

}  // namespace sluice::tools

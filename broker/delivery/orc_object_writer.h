// NewOrcObjectWriter: JSON records become rows of one ORC file, by columnar_object_writer.h.
//
// Stripes are streamed: memory is bounded by the row batch being converted plus the encoded stripe, the last one of
// which is there twice at the end. The footer's user metadata carries the metadata under the key "sluice" (orc_tail.h
// says how). A `timestamp` is ORC's TIMESTAMP, as Firehose writes it: the time in UTC, without a zone. One before 1970
// with a fraction of a second is refused, since readers do not agree on what such a value is; all other types are as in
// Parquet. Threads and crash behaviour: see object_writer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/delivery/columnar_object_writer.h"
#include "broker/delivery/object_writer.h"
#include "broker/delivery/row_converter.h"
#include "broker/delivery/schema.h"

namespace sluice::delivery {

enum class OrcCompression : std::uint8_t { kNone, kZlib, kSnappy, kZstd };

/// OrcSerDe.Compression: "NONE", "ZLIB", "SNAPPY", and our "ZSTD".
Result<OrcCompression> ParseOrcCompression(std::string_view name);

/// The fields of Firehose's OrcSerDe. Its padding is for HDFS and has no meaning here.
struct OrcOptions : ColumnarOptions {
  OrcCompression compression = OrcCompression::kSnappy;
  std::uint64_t stripe_bytes = 64ull << 20;  // StripeSizeBytes: encoded bytes after which a stripe ends
  std::uint64_t block_bytes = 256ull << 20;  // BlockSizeBytes: for HDFS; here the records that are sorted together
  std::uint64_t row_index_stride = 10'000;   // RowIndexStride: rows of an entry of the index
  double dictionary_threshold = 0;           // DictionaryKeyThreshold: 0 never, 1 always, else distinct / all values
  bool version_0_11 = false;                 // FormatVersion V0_11: for readers before Hive 0.12
};

/// `sink` must outlive the writer. kInvalidArgument names the option or column that is wrong.
Result<std::unique_ptr<ObjectWriter>> NewOrcObjectWriter(const OrcOptions& options, const Schema& schema,
                                                         const ConverterOptions& converter, ObjectSink& sink);

}  // namespace sluice::delivery

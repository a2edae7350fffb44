// NewParquetObjectWriter: JSON records become rows of one Parquet file, by columnar_object_writer.h.
//
// Row groups are streamed: memory is bounded by the row batch being converted plus the encoded row group
// (`row_group_bytes`), or two of these where rows are sorted. The footer carries the metadata under the key "sluice".
// Threads and crash behaviour: see object_writer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/delivery/columnar_object_writer.h"
#include "broker/delivery/object_writer.h"
#include "broker/delivery/row_converter.h"
#include "broker/delivery/schema.h"

namespace sluice::delivery {

enum class ParquetCompression : std::uint8_t { kUncompressed, kSnappy, kGzip, kZstd };

/// ParquetSerDe.Compression: "UNCOMPRESSED", "SNAPPY", "GZIP", and our "ZSTD".
Result<ParquetCompression> ParseParquetCompression(std::string_view name);

/// The fields of Firehose's ParquetSerDe and two of ours.
struct ParquetOptions : ColumnarOptions {
  ParquetCompression compression = ParquetCompression::kSnappy;
  std::int32_t zstd_level = 1;
  std::uint64_t row_group_bytes = 256ull << 20;  // BlockSizeBytes: encoded bytes after which a row group ends
  std::uint64_t page_bytes = 1ull << 20;         // PageSizeBytes
  bool dictionary = true;  // EnableDictionaryCompression; long columns of distinct values fall back by themselves
  bool writer_version_2 = false;  // WriterVersion V2: data page v2
};

/// `sink` must outlive the writer. kInvalidArgument names the option or column that is wrong.
Result<std::unique_ptr<ObjectWriter>> NewParquetObjectWriter(const ParquetOptions& options, const Schema& schema,
                                                             const ConverterOptions& converter, ObjectSink& sink);

}  // namespace sluice::delivery

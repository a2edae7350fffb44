// RawObjectWriter: records as they came, one after another, with an optional delimiter, compressed or not.
//
// Threads and crash behaviour: see object_writer.h. Every format is streamed; about 1 MiB is buffered.
// Where the metadata stands: GZIP in the extra field of an empty last member, ZIP in the archive comment; the other
// formats have no place for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/object_writer.h"

namespace sluice::delivery {

enum class RawCompression : std::uint8_t {
  kUncompressed,
  kGzip,          // deflate level 1, one member and an empty one with the metadata
  kZip,           // one DEFLATE entry, which a UUID names
  kSnappy,        // Xerial's stream format, as snappy-java writes it
  kHadoopSnappy,  // Hadoop's block framing
};

/// Firehose's CompressionFormat: "UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY".
Result<RawCompression> ParseRawCompression(std::string_view name);
/// The default file extension: "", ".gz", ".zip", ".snappy", ".snappy".
std::string_view RawCompressionExtension(RawCompression compression);
/// The Content-Encoding that Firehose sets: "", "gzip", "zip", "snappy-java", "hadoop-snappy".
std::string_view RawCompressionContentEncoding(RawCompression compression);

struct RawOptions {
  RawCompression compression = RawCompression::kUncompressed;
  std::string delimiter;                   // between records; "" for none
  bool delimiter_after_last = false;       // Firehose: false; NDJSON readers do not mind either way
  std::string zip_entry_name = "records";  // deterministic: give a hash of the key
};

/// `sink` must outlive the writer.
Result<std::unique_ptr<ObjectWriter>> NewRawObjectWriter(const RawOptions& options, ObjectSink& sink);

}  // namespace sluice::delivery

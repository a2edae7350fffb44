// The statement that loads the objects of a manifest into a table:
//
//     COPY table (columns) FROM 's3://BUCKET/KEY' IAM_ROLE 'arn:..' MANIFEST [GZIP] options
//
// Values only; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "broker/delivery/raw_object_writer.h"
#include "broker/delivery/redshift/redshift_config.h"

namespace sluice::delivery {

/// `manifest_url` is an S3Url; GZIP is put in where the objects are compressed so and the options do not say it.
std::string CopyStatement(const RedshiftConfig& config, std::string_view manifest_url, RawCompression compression);

/// Whether CopyOptions say with whose rights S3 is read.
bool HasCredentials(const RedshiftConfig& config);

/// {"entries":[{"url":"s3://..","mandatory":true},..]}, as Firehose writes it.
std::string ManifestDocument(std::span<const std::string> urls);

/// "s3://BUCKET/KEY": `place` is where the object store has the bucket, which is elsewhere with another name where it
/// is an s3:// URI (bucket_root.h).
std::string S3Url(std::string_view place, std::string_view bucket, std::string_view key);

}  // namespace sluice::delivery

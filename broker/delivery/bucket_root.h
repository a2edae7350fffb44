// Where a bucket is: a directory, or a place in an object store, as the configuration names it.
//
//     /srv/lake/raw, lake/raw, file:///srv/lake/raw        a directory
//     s3://BUCKET[/PREFIX][?endpoint_override=HOST:PORT&scheme=http&region=REGION]
//     gs://BUCKET[/PREFIX]
//     abfss://CONTAINER@ACCOUNT.dfs.core.windows.net[/PREFIX], and the other forms that Arrow reads
//
// The same text is what `sluice verify` and, as they are Arrow's own, pyarrow and others find the objects with; so
// there are never secrets in it. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::delivery {

enum class StoreKind : std::uint8_t { kDirectory, kS3, kGoogle, kAzure };

struct BucketRoot {
  StoreKind kind = StoreKind::kDirectory;
  std::string scheme;                        // as given; empty: a directory
  std::string place;                         // a directory; or what stands between "://" and "?": "BUCKET/PREFIX"
  std::map<std::string, std::string> query;  // decoded; of directories empty

  /// As it was given, or would be.
  std::string Text() const;
  friend bool operator==(const BucketRoot&, const BucketRoot&) = default;
};

/// The root of one bucket. kInvalidArgument says what is wrong with `text` and what would be right.
Result<BucketRoot> ParseBucketRoot(std::string_view text);
/// What all buckets are below that have no root of their own; "s3://" is one, too.
Result<BucketRoot> ParseLakeRoot(std::string_view text);
/// The root of `bucket` in a lake: NAME in "s3://" is "s3://NAME", in "/srv/lake" it is "/srv/lake/NAME".
BucketRoot RootInLake(const BucketRoot& lake, std::string_view bucket);

/// Where a store's server is.
struct Endpoint {
  std::string scheme;     // "http", "https"
  std::string authority;  // "127.0.0.1:9000"
};
/// "http://HOST:PORT"; https where there is no scheme. kInvalidArgument.
Result<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace sluice::delivery

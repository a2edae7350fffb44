// Only what can be said without asking anybody: whether a bucket exists is found out by who uses it.
#include "broker/delivery/bucket_root.h"

#include <arrow/filesystem/azurefs.h>
#include <arrow/util/uri.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "broker/delivery/prefix.h"
#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kAfterScheme = "://";
constexpr std::string_view kForms =
    "a directory, file:///DIRECTORY, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, or "
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX";

enum class Whole : bool { kBucket, kLake };

std::unexpected<Status> Wrong(std::string_view text, std::string_view why) {
  return Error(Code::kInvalidArgument, fmt::format("\"{}\" {}", text, why));
}

std::optional<StoreKind> KindOf(std::string_view scheme) {
  if (scheme == "file") return StoreKind::kDirectory;
  if (scheme == "s3") return StoreKind::kS3;
  if (scheme == "gs" || scheme == "gcs") return StoreKind::kGoogle;
  if (scheme == "abfs" || scheme == "abfss") return StoreKind::kAzure;
  return std::nullopt;
}

const std::vector<std::string>& KnownSchemes() {
  static const std::vector<std::string> schemes = {"file", "s3", "gs", "gcs", "abfs", "abfss"};
  return schemes;
}

/// What may stand in the query of Google and S3; of Azure Arrow knows.
std::vector<std::string> QueryKeys(StoreKind kind) {
  if (kind == StoreKind::kS3) return {"endpoint_override", "region", "scheme"};
  if (kind == StoreKind::kGoogle) return {"endpoint_override", "scheme"};
  return {};
}

std::string WithoutEndSlashes(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

Result<BucketRoot> ParseDirectory(std::string_view text, std::string_view path) {
  if (path.empty()) return Wrong(text, "names no directory");
  return BucketRoot{.kind = StoreKind::kDirectory, .scheme = {}, .place = WithoutEndSlashes(path), .query = {}};
}

Status ReadQuery(std::string_view text, std::string_view query, BucketRoot& root) {
  const std::vector<std::string> known = QueryKeys(root.kind);
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string key(item.substr(0, equals));
    const std::string value = arrow::util::UriUnescape(item.substr(std::min(item.size(), equals + 1)));
    if (root.kind != StoreKind::kAzure && std::ranges::find(known, key) == known.end()) {
      return Wrong(text, fmt::format("has the option '{}'{}; options here: {}; the others are settings", key,
                                     protocol::DidYouMean(key, known), fmt::join(known, ", ")))
          .error();
    }
    if (key == "scheme" && value != "http" && value != "https")
      return Wrong(text, "has another scheme than http or https").error();
    root.query[key] = value;
  }
  return Status();
}

Status CheckPlace(std::string_view text, const BucketRoot& root, Whole whole) {
  if (root.kind != StoreKind::kAzure && root.place.contains('@')) {
    return Wrong(text,
                 "has a user in it; credentials are settings ([delivery.s3], [delivery.google]) or come from the "
                 "environment")
        .error();
  }
  const std::size_t at = root.place.find('@');
  if (at != root.place.npos && root.place.find(':') < at) {
    return Error(Code::kInvalidArgument,
                 "\"abfss://..\" has a key in front of the '@'; use delivery.azure.account_key or the environment")
        .error();
  }
  if (root.place.empty() && (whole == Whole::kBucket || root.kind == StoreKind::kAzure))
    return Wrong(text, fmt::format("names no bucket; a root is {}", kForms)).error();
  if (SafeKey(root.place) != root.place) {
    return Wrong(text, "has an empty or dotted part, a '\\' or a control character").error();
  }
  return Status();
}

/// Arrow reads it as it will when it is opened; nobody is asked.
Status CheckAzure(std::string_view text, const BucketRoot& root, Whole whole) {
  for (const std::string_view secret : {"client_secret", "sig"}) {
    if (root.query.contains(std::string(secret))) {
      return Wrong("abfss://..", fmt::format("has the secret '{}' in it; use delivery.azure.account_key, "
                                             "delivery.azure.sas_token or the environment",
                                             secret))
          .error();
    }
  }
  std::string path;
  const auto options = arrow::fs::AzureOptions::FromUri(root.Text(), &path);
  if (!options.ok()) return Wrong(text, fmt::format("cannot be read: {}", options.status().message())).error();
  if (options->account_name.empty()) return Wrong(text, "names no storage account").error();
  if (path.empty() && whole == Whole::kBucket)
    return Wrong(text, fmt::format("names no container; a root is {}", kForms)).error();
  return Status();
}

Result<BucketRoot> ParseRemote(std::string_view text, std::string_view scheme, std::string_view rest, Whole whole) {
  if (rest.contains('#')) return Wrong(text, "has a '#' in it");
  BucketRoot root{.kind = *KindOf(scheme), .scheme = std::string(scheme), .place = {}, .query = {}};
  const std::size_t question = std::min(rest.find('?'), rest.size());
  std::string_view place = rest.substr(0, question);
  while (place.ends_with('/')) place.remove_suffix(1);
  root.place = place;
  Status status = ReadQuery(text, rest.substr(std::min(rest.size(), question + 1)), root);
  if (status.ok()) status = CheckPlace(text, root, whole);
  if (status.ok() && root.kind == StoreKind::kAzure) status = CheckAzure(text, root, whole);
  if (!status.ok()) return Error(std::move(status));
  return root;
}

Result<BucketRoot> Parse(std::string_view text, Whole whole) {
  if (text.empty()) return Wrong(text, fmt::format("is empty; allowed: {}", kForms));
  const std::size_t colon = text.find(':');
  const std::string scheme = protocol::Lower(text.substr(0, std::min(colon, text.size())));
  const bool is_uri = colon != text.npos && text.substr(colon).starts_with(kAfterScheme);
  if (!is_uri && (colon == text.npos || !KindOf(scheme))) return ParseDirectory(text, text);
  if (!is_uri) return Wrong(text, fmt::format("lacks the '//' behind '{}:'", scheme));
  if (!KindOf(scheme)) {
    return Wrong(text, fmt::format("begins with an unknown scheme{}; allowed: {}",
                                   protocol::DidYouMean(scheme, KnownSchemes()), kForms));
  }
  const std::string_view rest = text.substr(colon + kAfterScheme.size());
  if (*KindOf(scheme) != StoreKind::kDirectory) return ParseRemote(text, scheme, rest, whole);
  if (!rest.starts_with('/')) return Wrong(text, "names a host; a directory is file:///DIRECTORY, with three slashes");
  return ParseDirectory(text, arrow::util::UriUnescape(rest));
}

}  // namespace

std::string BucketRoot::Text() const {
  if (kind == StoreKind::kDirectory) return place;
  std::string text = fmt::format("{}{}{}", scheme, kAfterScheme, place);
  char mark = '?';
  for (const auto& [key, value] : query) {
    text += fmt::format("{}{}={}", mark, key, arrow::util::UriEscape(value));
    mark = '&';
  }
  return text;
}

Result<BucketRoot> ParseBucketRoot(std::string_view text) { return Parse(text, Whole::kBucket); }

Result<BucketRoot> ParseLakeRoot(std::string_view text) { return Parse(text, Whole::kLake); }

Result<Endpoint> ParseEndpoint(std::string_view text) {
  Endpoint endpoint{.scheme = "https", .authority = std::string(text)};
  const std::size_t scheme_end = text.find(kAfterScheme);
  if (scheme_end != text.npos) {
    endpoint.scheme = protocol::Lower(text.substr(0, scheme_end));
    endpoint.authority = WithoutEndSlashes(text.substr(scheme_end + kAfterScheme.size()));
  }
  const bool known = endpoint.scheme == "http" || endpoint.scheme == "https";
  if (!known || endpoint.authority.empty() || endpoint.authority.find_first_of("/@?# ") != text.npos)
    return Wrong(text, "is not an address such as \"http://127.0.0.1:9000\" or \"s3.example.com\"");
  return endpoint;
}

BucketRoot RootInLake(const BucketRoot& lake, std::string_view bucket) {
  BucketRoot root = lake;
  const bool needs_slash = !root.place.empty() && !root.place.ends_with('/');
  root.place += fmt::format("{}{}", needs_slash ? "/" : "", bucket);
  return root;
}

}  // namespace sluice::delivery

// One text from many.
#include "broker/delivery/redshift/copy_statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/delivery/bucket_root.h"
#include "broker/delivery/redshift/sql_text.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

bool HasCredentials(const RedshiftConfig& config) {
  constexpr std::array<std::string_view, 3> kWords = {"iam_role", "credentials", "access_key_id"};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return HasSqlWord(config.copy_options, word); });
}

std::string CopyStatement(const RedshiftConfig& config, std::string_view manifest_url, RawCompression compression) {
  std::string statement = fmt::format("COPY {}", TrimmedSql(config.table));
  if (const std::string_view columns = TrimmedSql(config.columns); !columns.empty())
    statement += fmt::format(" ({})", columns);
  statement += fmt::format(" FROM {}", SqlLiteral(manifest_url));
  if (!HasCredentials(config)) statement += fmt::format(" IAM_ROLE {}", SqlLiteral(config.role_arn));
  statement += " MANIFEST";
  if (compression == RawCompression::kGzip && !HasSqlWord(config.copy_options, "gzip")) statement += " GZIP";
  if (const std::string_view options = TrimmedSql(config.copy_options); !options.empty())
    statement += fmt::format(" {}", options);
  return statement;
}

std::string ManifestDocument(std::span<const std::string> urls) {
  protocol::JsonWriter json;
  json.BeginObject().Key("entries").BeginList();
  for (const std::string& url : urls) json.BeginObject().Key("url").String(url).Key("mandatory").Bool(true).EndObject();
  json.EndList().EndObject();
  return json.text();
}

std::string S3Url(std::string_view place, std::string_view bucket, std::string_view key) {
  const Result<BucketRoot> root = ParseBucketRoot(place);
  const bool elsewhere = root && root->kind == StoreKind::kS3;
  std::string base = elsewhere ? root->place : std::string(bucket);
  while (base.ends_with('/')) base.pop_back();
  return fmt::format("s3://{}/{}", base, key);
}

}  // namespace sluice::delivery

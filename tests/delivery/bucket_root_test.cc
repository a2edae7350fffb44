// What a bucket's root may be, and that what may not be says why.
#include "broker/delivery/bucket_root.h"

#include "broker/delivery/remote_file_system.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

std::string ErrorOf(std::string_view text) {
  const auto root = ParseBucketRoot(text);
  REQUIRE_FALSE(root.has_value());
  CHECK(root.error().code() == Code::kInvalidArgument);
  return root.error().message();
}

std::string InLake(std::string_view lake, std::string_view bucket) {
  const auto root = ParseLakeRoot(lake);
  REQUIRE(root.has_value());
  return RootInLake(*root, bucket).Text();
}

}  // namespace

TEST_CASE("ParseBucketRoot: directories are what they were", "[delivery]") {
  for (const std::string_view text : {"/srv/lake", "lake", "./a:b", "/srv/s3:/x", "/"}) {
    INFO(text);
    const auto root = ParseBucketRoot(text);
    REQUIRE(root.has_value());
    CHECK(root->kind == StoreKind::kDirectory);
    CHECK(root->Text() == text);
  }
  CHECK(ParseBucketRoot("/srv/lake//")->place == "/srv/lake");
  CHECK(ParseBucketRoot("file:///srv/my%20lake/")->place == "/srv/my lake");
}

TEST_CASE("ParseBucketRoot: object stores", "[delivery]") {
  const auto s3 = ParseBucketRoot("S3://lake/raw/orders/?endpoint_override=127.0.0.1%3A9000&scheme=http");
  REQUIRE(s3.has_value());
  CHECK(s3->kind == StoreKind::kS3);
  CHECK(s3->place == "lake/raw/orders");
  CHECK(s3->query == std::map<std::string, std::string>{{"endpoint_override", "127.0.0.1:9000"}, {"scheme", "http"}});
  CHECK(s3->Text() == "s3://lake/raw/orders?endpoint_override=127.0.0.1%3A9000&scheme=http");
  CHECK(ParseBucketRoot("gs://lake")->kind == StoreKind::kGoogle);
  for (const std::string_view text :
       {"abfss://raw@acme.dfs.core.windows.net/orders", "abfs://acme.blob.core.windows.net/raw",
        "abfss://acme@127.0.0.1:10000/raw?enable_tls=false"}) {
    INFO(text);
    CHECK(ParseBucketRoot(text)->kind == StoreKind::kAzure);
    CHECK(ParseBucketRoot(text)->Text() == text);
  }
}

TEST_CASE("ParseBucketRoot: what is no root says why", "[delivery]") {
  CHECK(ErrorOf("").contains("is empty"));
  CHECK(ErrorOf("s4://lake").contains("did you mean 's3'?"));
  CHECK(ErrorOf("https://lake.s3.amazonaws.com").contains("unknown scheme"));
  CHECK(ErrorOf("s3:lake").contains("lacks the '//'"));
  CHECK(ErrorOf("s3:/lake").contains("lacks the '//'"));
  CHECK(ErrorOf("s3://").contains("names no bucket"));
  CHECK(ErrorOf("s3:///raw").contains("empty or dotted part"));
  CHECK(ErrorOf("s3://lake/../other").contains("empty or dotted part"));
  CHECK(ErrorOf("s3://lake#x").contains("has a '#'"));
  CHECK(ErrorOf("s3://key:secret@lake").contains("credentials are settings"));
  CHECK(ErrorOf("s3://lake?regoin=x").contains("did you mean 'region'?"));
  CHECK(ErrorOf("s3://lake?scheme=ftp").contains("another scheme than http or https"));
  CHECK(ErrorOf("gs://lake?region=x").contains("the option 'region'"));
  CHECK(ErrorOf("file://host/lake").contains("three slashes"));
  CHECK(ErrorOf("abfss://acme.dfs.core.windows.net").contains("names no container"));
  CHECK(ErrorOf("abfss://raw@acme.dfs.core.windows.net/?colour=red").contains("cannot be read"));
  const std::string secret = ErrorOf("abfss://raw@acme.dfs.core.windows.net/?sv=2025&sig=abc");
  CHECK(secret.contains("delivery.azure.sas_token"));
  CHECK_FALSE(secret.contains("abc"));
  CHECK_FALSE(ErrorOf("abfss://acme:hidden@acme.dfs.core.windows.net/raw").contains("hidden"));
}

TEST_CASE("RootInLake: a bucket below each kind of lake", "[delivery]") {
  CHECK(InLake("/srv/lake/", "raw") == "/srv/lake/raw");
  CHECK(InLake("/", "raw") == "/raw");
  CHECK(InLake("s3://", "raw") == "s3://raw");
  CHECK(InLake("s3://?region=eu-central-1", "raw") == "s3://raw?region=eu-central-1");
  CHECK(InLake("s3://all/of/it", "raw") == "s3://all/of/it/raw");
  CHECK(InLake("abfss://acme.dfs.core.windows.net/", "raw") == "abfss://acme.dfs.core.windows.net/raw");
  CHECK_FALSE(ParseLakeRoot("abfss://").has_value());
}

TEST_CASE("ParseEndpoint: https where nothing else is said", "[delivery]") {
  CHECK(ParseEndpoint("http://[::1]:9000/")->authority == "[::1]:9000");
  CHECK(ParseEndpoint("http://127.0.0.1:9000")->scheme == "http");
  CHECK(ParseEndpoint("s3.example.com")->scheme == "https");
  for (const std::string_view text : {"", "http://", "ftp://a", "a/b", "user@a"}) {
    INFO(text);
    CHECK_FALSE(ParseEndpoint(text).has_value());
  }
}

TEST_CASE("WithSettings: a root's own server and region count", "[delivery]") {
  StoreSettings settings;
  settings.s3.endpoint_override = "http://127.0.0.1:9000";
  settings.s3.region = "eu-west-1";
  settings.s3.secret_access_key = "hidden";
  const auto text = [&](std::string_view root) { return WithSettings(*ParseBucketRoot(root), settings).Text(); };
  CHECK(text("s3://a") == "s3://a?endpoint_override=127.0.0.1%3A9000&region=eu-west-1&scheme=http");
  CHECK(text("s3://a?endpoint_override=b&region=c") == "s3://a?endpoint_override=b&region=c");
  CHECK(text("gs://a") == "gs://a");
}

}  // namespace sluice::delivery

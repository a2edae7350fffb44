// The texts of a load: addresses, pieces of SQL, the COPY, the manifest.
#include <string>
#include <vector>

#include "broker/delivery/redshift/copy_statement.h"
#include "broker/delivery/redshift/jdbc_url.h"
#include "broker/delivery/redshift/sql_text.h"
#include "tests/catch.h"

namespace sluice::delivery {

TEST_CASE("ParseJdbcUrl: hosts, ports, databases and sslmode", "[delivery]") {
  const auto parsed = [](std::string_view text) {
    const auto url = ParseJdbcUrl(text);
    INFO(text << (url ? "" : ": " + url.error().message()));
    REQUIRE(url.has_value());
    return *url;
  };
  CHECK(parsed("jdbc:redshift://c.abc123.us-east-1.redshift.amazonaws.com:5439/dev") ==
        JdbcUrl{.host = "c.abc123.us-east-1.redshift.amazonaws.com", .port = 5439, .database = "dev"});
  CHECK(parsed("jdbc:redshift://h/dev").port == 5439);
  CHECK(parsed("jdbc:postgresql://h/dev").port == 5432);
  CHECK(parsed("jdbc:postgresql://[::1]:7000/a$b-c_d") == JdbcUrl{.host = "::1", .port = 7000, .database = "a$b-c_d"});
  CHECK(parsed("jdbc:redshift://h:1/d?ssl=false").ssl_mode == "disable");
  CHECK(parsed("jdbc:redshift://h:1/d?ssl=true&sslmode=verify-full").ssl_mode == "verify-full");
  CHECK(parsed("jdbc:redshift://h:1/d?").ssl_mode == "require");
  CHECK(parsed("jdbc:redshift://h:1/d").Text() == "h:1/d");
}

TEST_CASE("ParseJdbcUrl: what is none says why", "[delivery]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "begins neither with"},
      {"redshift://h:1/d", "begins neither with"},
      {"jdbc:mysql://h:1/d", "begins neither with"},
      {"jdbc:redshift://h:1", "names no database"},
      {"jdbc:redshift://h:1/", "names no database"},
      {"jdbc:redshift://h:1/d/e", "is no database's name"},
      {"jdbc:redshift://h:1/d'e", "is no database's name"},
      {"jdbc:redshift://:1/d", "'' is no host"},
      {"jdbc:redshift://u@h:1/d", "'u@h' is no host"},
      {"jdbc:redshift://h:/d", "has no port behind ':'"},
      {"jdbc:redshift://h:0/d", "'0' is no port"},
      {"jdbc:redshift://h:65536/d", "'65536' is no port"},
      {"jdbc:redshift://h:1x/d", "'1x' is no port"},
      {"jdbc:redshift://[::1/d", "has a '[' without its ']'"},
      {"jdbc:redshift://[::1]x/d", "has something behind ']'"},
      {"jdbc:redshift://h:1/d?user=a&password=b", "give Username and Password"},
      {"jdbc:redshift://h:1/d?sslmode=maybe", "has 'sslmode' behind '?'"},
      {"jdbc:redshift://h:1/d?loginTimeout=1", "has 'loginTimeout' behind '?'"},
  };
  for (const auto& [text, why] : cases) {
    const auto url = ParseJdbcUrl(text);
    INFO(text << ": " << (url ? "" : url.error().message()));
    REQUIRE_FALSE(url.has_value());
    CHECK(url.error().message().contains(why));
    CHECK_FALSE(url.error().message().contains("password=b"));
  }
}

TEST_CASE("SqlPartProblem: a piece of SQL is a part of one statement", "[delivery]") {
  for (const std::string_view good : {"", "orders", "json 'auto';", "delimiter ';' csv", "null 'it''s' -- why\n csv ; ",
                                      "\"a;b\"", "/* ; */ csv", "quote '\"'"}) {
    INFO(good);
    CHECK(SqlPartProblem(good).empty());
  }
  CHECK(SqlPartProblem("csv; drop table orders").contains("';' in it"));
  CHECK(SqlPartProblem("orders; commit;").contains("';' in it"));
  CHECK(SqlPartProblem("json 'auto").contains("a ' without its end"));
  CHECK(SqlPartProblem("json 'auto''").contains("a ' without its end"));
  CHECK(SqlPartProblem("\"orders").contains("a \" without its end"));
  CHECK(SqlPartProblem("csv -- to the end").contains("a comment that does not end"));
  CHECK(SqlPartProblem("csv /* to the end").contains("a comment that does not end"));
  CHECK(SqlPartProblem(std::string_view("a\0b", 3)).contains("zero byte"));
}

TEST_CASE("WithoutCredentials: literals that are credentials are not told", "[delivery]") {
  CHECK(WithoutCredentials("CREDENTIALS 'aws_access_key_id=a;aws_secret_access_key=b' json 'auto'") ==
        "CREDENTIALS '***' json 'auto'");
  CHECK(WithoutCredentials("access_key_id 'a' Secret_Access_Key\n AS 'b''c' session_token AS 'd' region 'e'") ==
        "access_key_id '***' Secret_Access_Key\n AS '***' session_token AS '***' region 'e'");
  CHECK(WithoutCredentials("iam_role 'arn:r' encrypted master_symmetric_key 'k'") ==
        "iam_role 'arn:r' encrypted master_symmetric_key '***'");
  CHECK(WithoutCredentials("null 'credentials' json 'auto'") == "null 'credentials' json 'auto'");
}

TEST_CASE("WithoutCredentialsOf: a message that quotes a statement does not tell its credentials", "[delivery]") {
  const std::string_view sql = "COPY t FROM 's3://b' SECRET_ACCESS_KEY 'Geheim' ACCESS_KEY_ID 'name' NULL ''";
  CHECK(WithoutCredentialsOf(sql, "syntax error at or near \"'Geheim'\" of name, Geheim") ==
        "syntax error at or near \"'***'\" of ***, ***");
  CHECK(WithoutCredentialsOf("COPY t SESSION_TOKEN ''", "as it is") == "as it is");
  CHECK(WithoutCredentialsOf("COPY t SESSION_TOKEN '*'", "a * b") == "a *** b");
}

TEST_CASE("CopyStatement: with and without columns, options, credentials of their own", "[delivery]") {
  const auto copy = [](RedshiftConfig config, RawCompression compression = RawCompression::kUncompressed) {
    config.role_arn = "arn:r";
    return CopyStatement(config, "s3://b/manifests/m", compression);
  };
  CHECK(copy({.table = "orders"}) == "COPY orders FROM 's3://b/manifests/m' IAM_ROLE 'arn:r' MANIFEST");
  CHECK(copy({.table = " s.\"Or ders\" ", .columns = "a, b;", .copy_options = " csv ; "}) ==
        "COPY s.\"Or ders\" (a, b) FROM 's3://b/manifests/m' IAM_ROLE 'arn:r' MANIFEST csv");
  CHECK(copy({.table = "o", .copy_options = "iam_role default csv"}) ==
        "COPY o FROM 's3://b/manifests/m' MANIFEST iam_role default csv");
  CHECK(copy({.table = "o", .copy_options = "csv"}, RawCompression::kGzip) ==
        "COPY o FROM 's3://b/manifests/m' IAM_ROLE 'arn:r' MANIFEST GZIP csv");
  CHECK(copy({.table = "o", .copy_options = "gzip csv"}, RawCompression::kGzip) ==
        "COPY o FROM 's3://b/manifests/m' IAM_ROLE 'arn:r' MANIFEST gzip csv");
}

TEST_CASE("S3Url: a bucket is where the object store has it", "[delivery]") {
  CHECK(S3Url("/root/lake", "lake", "a/b") == "s3://lake/a/b");
  CHECK(S3Url("s3://lake", "lake", "a/b") == "s3://lake/a/b");
  CHECK(S3Url("s3://other/below/?region=eu-west-1", "lake", "a/b") == "s3://other/below/a/b");
  CHECK(S3Url("gs://other", "lake", "a/b") == "s3://lake/a/b");
}

TEST_CASE("ManifestDocument: as Firehose writes it", "[delivery]") {
  const std::vector<std::string> urls = {"s3://b/1", "s3://b/2"};
  CHECK(ManifestDocument(urls) ==
        R"({"entries":[{"url":"s3://b/1","mandatory":true},{"url":"s3://b/2","mandatory":true}]})");
}

}  // namespace sluice::delivery

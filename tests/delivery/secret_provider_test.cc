// Secrets in files: which file stands for which secret, what is refused, and that no message tells what is in it.
#include "broker/delivery/secret_provider.h"

#include <sys/stat.h>

#include <array>
#include <fstream>

#include "storage/env/memory_env.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::delivery {
namespace {

constexpr std::array<std::string_view, 1> kApiKey = {"api_key"};
constexpr std::string_view kArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/key-a1b2c3";

struct Secrets {
  Secrets() { REQUIRE(env.MakeDirs("/secrets/prod").ok()); }
  Result<std::vector<std::string>> Read(std::string_view arn,
                                        std::span<const std::string_view> members = kApiKey) const {
    return ReadSecretMembers(provider.get(), arn, members);
  }
  std::string ErrorOf(std::string_view arn) const {
    const auto texts = Read(arn);
    REQUIRE_FALSE(texts.has_value());
    return texts.error().message();
  }

  storage::MemoryEnv env;
  std::unique_ptr<SecretProvider> provider = NewSecretFiles(env, "/secrets");
};

}  // namespace

TEST_CASE("IsSecretArn: ARNs and names, and no way out of the folder", "[delivery]") {
  for (const std::string_view good : {kArn, std::string_view("key"), std::string_view("a/b_c+d=e.f@g!h"),
                                      std::string_view("arn:aws-cn:secretsmanager:cn-north-1:1:secret:x")}) {
    INFO(good);
    CHECK(IsSecretArn(good));
  }
  for (const std::string_view bad : {"", "/etc/shadow", "../key", "a/../b", "a//b", "a/", ".", "a b", "a\nb", "a:b",
                                     "arn:", "arn:aws:secretsmanager", "arn:aws:s3:::secret:x",
                                     "arn:aws:secretsmanager:r:1:secret:", "arn:aws:secretsmanager:r:1:secret:../key",
                                     "arn:aws:secretsmanager:r:1:secret:/key"}) {
    INFO(bad);
    CHECK_FALSE(IsSecretArn(bad));
  }
}

TEST_CASE("ReadSecretMembers: the whole name is looked for first, then the one without AWS's suffix", "[delivery]") {
  Secrets secrets;
  secrets.env.WriteByHand("/secrets/prod/key.json", R"({"api_key": "short"})");
  CHECK(secrets.Read(kArn)->front() == "short");
  CHECK(secrets.Read("prod/key")->front() == "short");
  secrets.env.WriteByHand("/secrets/prod/key-a1b2c3.json", R"({"api_key": "long"})");
  CHECK(secrets.Read(kArn)->front() == "long");
  CHECK(secrets.Read("prod/key")->front() == "short");
  secrets.env.WriteByHand("/secrets/prod/key.json", R"({"api_key": "rotated"})");
  CHECK(secrets.Read("prod/key")->front() == "rotated");
}

TEST_CASE("ReadSecretMembers: several members in their order, and others are passed over", "[delivery]") {
  Secrets secrets;
  secrets.env.WriteByHand(
      "/secrets/db.json",
      "{\"engine\": \"redshift\", \"port\": 5439,\n \"password\": \"p \\\"q\", \"username\": \"u\"}\n");
  constexpr std::array<std::string_view, 2> kUser = {"username", "password"};
  CHECK(secrets.Read("db", kUser) == std::vector<std::string>{"u", "p \"q"});
}

TEST_CASE("ReadSecretMembers: what is missing is told with the files that were looked for", "[delivery]") {
  const Secrets secrets;
  CHECK(secrets.ErrorOf(kArn) ==
        "secret '" + std::string(kArn) +
            "': there is no file /secrets/prod/key-a1b2c3.json, and no file /secrets/prod/key.json; put {\"api_key\": "
            "\"..\"} there");
  CHECK(secrets.Read(kArn).error().code() == Code::kNotFound);
  CHECK(secrets.ErrorOf("key") == "secret 'key': there is no file /secrets/key.json; put {\"api_key\": \"..\"} there");
  const auto none = ReadSecretMembers(nullptr, "key", kApiKey);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message().contains("set delivery.secrets_dir to a folder"));
}

TEST_CASE("ReadSecretMembers: what is malformed is told without what it says", "[delivery]") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"", "is no JSON object"},
      {"c4n4ry", "is no JSON object"},
      {"\"c4n4ry\"", "is no JSON object"},
      {R"({"api_key": c4n4ry})", "is no JSON object"},
      {R"({"api_key": "c4n4ry)", "is no JSON object"},
      {R"({"api_key": "c4n4ry"} c4n4ry)", "is no JSON object"},
      {R"(["c4n4ry"])", "is no JSON object"},
      {R"({"apikey": "c4n4ry"})", "has no \"api_key\""},
      {R"({"api_key": ""})", "has a \"api_key\" that is no text, or an empty one"},
      {R"({"api_key": 7357})", "has a \"api_key\" that is no text"},
      {R"({"api_key": ["c4n4ry"]})", "has a \"api_key\" that is no text"},
      {R"({"api_key": "c4n4ry\r\nX-Other: c4n4ry"})", "has a line break or another control character in \"api_key\""},
  }));
  Secrets secrets;
  secrets.env.WriteByHand("/secrets/key.json", text);
  const std::string error = secrets.ErrorOf("key");
  INFO(error);
  CHECK(error.starts_with("secret 'key': /secrets/key.json " + words));
  CHECK(error.ends_with(R"(; it has to be {"api_key": ".."})"));
  CHECK_FALSE(error.contains("c4n4ry"));
  CHECK_FALSE(error.contains("7357"));
}

TEST_CASE("ReadSecretMembers: refuses a file that others may read, and one that is too large", "[delivery]") {
  const storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto provider = NewSecretFiles(*env, temp.path());
  const std::string path = temp.path() + "/key.json";
  std::ofstream(path) << R"({"api_key": "c4n4ry"})";
  for (const int good : {0600, 0640, 0400}) {
    REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(good)) == 0);
    CHECK(ReadSecretMembers(provider.get(), "key", kApiKey)->front() == "c4n4ry");
  }
  for (const int bad : {0644, 0660, 0604}) {
    REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(bad)) == 0);
    const auto refused = ReadSecretMembers(provider.get(), "key", kApiKey);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() ==
          Status(Code::kFailedPrecondition,
                 "secret 'key': " + path +
                     " may be read by everybody, or changed by others than its owner; run 'chmod 640' "
                     "or 'chmod 600' on it"));
  }
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  std::ofstream(path) << std::string((64u << 10) + 1, ' ');
  CHECK(ReadSecretMembers(provider.get(), "key", kApiKey).error().message().contains("has 65537 bytes"));
}

TEST_CASE("WithoutSecret: every place, and nothing else", "[delivery]") {
  CHECK(WithoutSecret("bad key ab, ab", "ab") == "bad key ***, ***");
  CHECK(WithoutSecret("**", "*") == "******");
  CHECK(WithoutSecret("as it is", "") == "as it is");
}

}  // namespace sluice::delivery

// Sources, errors with their places, and that the sample and the reference tell the truth.
#include "broker/config.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::broker {
namespace {

class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text)
      : path_((std::filesystem::temp_directory_path() / ("sluice-config-" + std::to_string(getpid()) + ".toml"))
                  .string()) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<Config> Load(std::string_view text) {
  const ConfigFile file(text);
  auto config = LoadConfig({.file = file.path(), .environment = {}, .overrides = {}});
  if (config) return config;
  // The path differs from run to run.
  std::string message = config.error().message();
  if (message.starts_with(file.path())) message.replace(0, file.path().size(), "FILE");
  return Error(config.error().code(), message);
}

std::string ErrorOf(std::string_view text) {
  const auto config = Load(text);
  REQUIRE(!config.has_value());
  return config.error().message();
}

std::string ReadText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("ReadTextFile: all bytes; what is missing or a directory is an error", "[broker]") {
  const storage::TempDir temp;
  const std::string path = temp.path() + "/file";
  for (const std::string& text : {std::string(), std::string("a\r\n\0b", 5), std::string(100'000, 'x')}) {
    std::ofstream(path, std::ios::binary) << text;
    CHECK(ReadTextFile(path) == text);
  }
  CHECK(ReadTextFile(temp.path() + "/none").error() == Status(Code::kNotFound, "No such file or directory"));
  CHECK(ReadTextFile(temp.path()).error() == Status(Code::kIoError, "Is a directory"));
}

TEST_CASE("LoadConfig: takes values of every type", "[broker]") {
  const auto config = Load(R"(
[server]
data_dir = "/data"
event_loops = 3
[storage]
segment_bytes = "128MiB"
journal_bytes_max = 536870912
flush_interval = "20ms"
allow_volatile = true
[log]
format = "json"
[delivery.buckets]
raw = "/lake/raw"
)");
  REQUIRE(config.has_value());
  CHECK(config->server.data_dir == "/data");
  CHECK(config->server.event_loops == 3);
  CHECK(config->server.allow_volatile);
  CHECK(config->storage.segment_bytes == 128u << 20);
  CHECK(config->storage.journal_bytes_max == 512u << 20);
  CHECK(config->storage.flush_interval_ms == 20);
  CHECK(config->log.format == "json");
  CHECK(config->delivery.buckets.at("raw") == "/lake/raw");
}

TEST_CASE("LoadConfig: later sources win", "[broker]") {
  const ConfigFile file("[native]\nport = 1\n[admin]\nport = 1\n[log]\nlevel = \"error\"\n");
  const auto config = LoadConfig({.file = file.path(),
                                  .environment = {{"SLUICE_NATIVE__PORT", "2"},
                                                  {"SLUICE_ADMIN__PORT", "2"},
                                                  {"SLUICE_DELIVERY__BUCKETS__raw", "/a"},
                                                  {"SLUICE_BROKER", "the client's own"},
                                                  {"PATH", "/bin"}},
                                  .overrides = {{"native.port", "3"}, {"storage.segment_bytes", "2MiB"}}});
  REQUIRE(config.has_value());
  CHECK(config->log.level == "error");
  CHECK(config->admin.port == 2);
  CHECK(config->native.port == 3);
  CHECK(config->storage.segment_bytes == 2u << 20);
  CHECK(config->delivery.buckets.at("raw") == "/a");
}

TEST_CASE("LoadConfig: errors name file, line and key", "[broker]") {
  CHECK(ErrorOf("[native]\n\nprot = 1\n") == "FILE:3: unknown key 'native.prot'; did you mean 'native.port'?");
  CHECK(ErrorOf("[natve]\n") == "FILE:1: unknown section 'natve'; did you mean 'native'?");
  CHECK(ErrorOf("port = 1\n").starts_with("FILE:1: unknown section 'port'"));
  CHECK(ErrorOf("[native]\nport = \"x\"\n") == "FILE:2: native.port: \"x\" is not a whole number; allowed: 0 to 65535");
  CHECK(ErrorOf("[native]\nport = 65536\n") == "FILE:2: native.port: 65536 is out of range; allowed: 0 to 65535");
  CHECK(ErrorOf("[native]\nport = -1\n").starts_with("FILE:2: native.port: -1 is not a whole number"));
  CHECK(ErrorOf("[native]\nport = 1.5\n").starts_with("FILE:2: native.port: a value must be"));
  CHECK(ErrorOf("[server]\ndata_dir = 1\n").starts_with("FILE:2: server.data_dir: 1 is not a text"));
  CHECK(ErrorOf("[native]\naddress = 1\n").starts_with("FILE:2: native.address: 1 is not an address"));
  CHECK(ErrorOf("[admin]\naddress = \"localhost\"\n") ==
        "FILE:2: admin.address: \"localhost\" is not an address such as \"127.0.0.1\" or \"::1\"; allowed: an IP "
        "address");
  CHECK(ErrorOf("[storage]\nsegment_bytes = \"64Mx\"\n") ==
        "FILE:2: storage.segment_bytes: \"64Mx\" is not a size such as \"64MiB\"; allowed: 1MiB to 4GiB");
  CHECK(ErrorOf("[retention]\ninterval = 5\n").starts_with("FILE:2: retention.interval: 5 is not a time with a unit"));
  CHECK(
      ErrorOf("[storage]\nallow_volatile = 1\n").starts_with("FILE:2: storage.allow_volatile: 1 is not a truth value"));
  CHECK(ErrorOf("[log]\nlevel = \"loud\"\n") ==
        "FILE:2: log.level: \"loud\" is not one of its values; allowed: debug, info, warning, error");
  CHECK(ErrorOf("[native]\nport = \n").starts_with("FILE:2: not valid TOML"));
  CHECK(ErrorOf("[delivery]\nbuckets = 1\n").starts_with("FILE:2: delivery.buckets: 1 is not a table"));
  CHECK(ErrorOf("[delivery]\nbuckets = {a = 1}\n") ==
        "FILE:2: delivery.buckets.a: the value must be a text such as \"/srv/lake\"");
  CHECK(ErrorOf("[delivery.buckets]\n\na = \"s4://b\"\n")
            .starts_with("FILE:3: delivery.buckets.a: \"s4://b\" begins "
                         "with an unknown scheme; did you mean 's3'?"));
  CHECK(ErrorOf("[delivery]\nlake_dir = \"s3:lake\"\n") ==
        "FILE:2: delivery.lake_dir: \"s3:lake\" lacks the '//' behind 's3:'");
  CHECK(ErrorOf("[delivery.s3]\nregoin = \"x\"\n") ==
        "FILE:2: unknown key 'delivery.s3.regoin'; did you mean 'delivery.s3.region'?");
  CHECK(ErrorOf("[delivery.s3]\nendpoint_override = \"ftp://x\"\n")
            .starts_with("FILE:2: delivery.s3.endpoint_override: "));
}

TEST_CASE("LoadConfig: errors of the other sources name them", "[broker]") {
  const auto error = [](ConfigSources sources) { return LoadConfig(sources).error().message(); };
  CHECK(error({.file = {}, .environment = {{"SLUICE_NATIVE__PROT", "1"}}, .overrides = {}}) ==
        "environment variable SLUICE_NATIVE__PROT: unknown key 'native.prot'; did you mean 'native.port'?");
  CHECK(error({.file = {}, .environment = {}, .overrides = {{"native.port", "x"}}})
            .starts_with("command line: native.port: \"x\" is not a whole number"));
  CHECK(error({.file = "/nonexistent/sluice.toml", .environment = {}, .overrides = {}})
            .starts_with("/nonexistent/sluice.toml: the configuration file cannot be read"));
}

TEST_CASE("LoadConfig: checks what belongs together", "[broker]") {
  CHECK(ErrorOf("[append]\nbatch_bytes_max = \"1MiB\"\n").find("append.record_bytes_max") != std::string::npos);
  CHECK(ErrorOf("[storage]\njournal_file_bytes = \"1GiB\"\n").find("storage.journal_bytes_max") != std::string::npos);
  CHECK(ErrorOf("[server]\ndata_dir = \"\"\n").find("server.data_dir") != std::string::npos);
  CHECK(ErrorOf("[delivery]\nlambda_endpoint = \"localhost:9001\"\n") ==
        "delivery.lambda_endpoint is \"localhost:9001\"; it must begin with http:// or https://");
  CHECK(ErrorOf("[delivery]\nsigning_secret = \"aws\"\n")
            .starts_with("delivery.signing_secret needs delivery.secrets_dir"));
  CHECK(ErrorOf("[delivery]\nsigning_secret = \"a b\"\n") ==
        "FILE:2: delivery.signing_secret: \"a b\" is no secret's name, and no ARN of one");
}

TEST_CASE("LoadConfig: access keys come from everywhere, with their case, and are not shown", "[broker]") {
  const ConfigFile file("[aws.access_keys]\nAKIA1 = \"one\"\n[aws.accounts]\nAKIA1 = \"111111111111\"\n");
  const auto config = LoadConfig({.file = file.path(),
                                  .environment = {{"SLUICE_AWS__ACCESS_KEYS__AKIA2__x", "two"}},
                                  .overrides = {{"aws.access_keys.akia3", "three"}}});
  REQUIRE(config.has_value());
  CHECK(config->aws.auth.access_keys ==
        std::map<std::string, std::string>{{"AKIA1", "one"}, {"AKIA2__x", "two"}, {"akia3", "three"}});
  CHECK(config->aws.auth.accounts.at("AKIA1") == "111111111111");
  for (const SettingText& setting : DescribeConfig(*config)) {
    if (setting.key != "aws.access_keys") continue;
    CHECK(setting.value == "{ \"AKIA1\" = \"***\", \"AKIA2__x\" = \"***\", \"akia3\" = \"***\" }");
  }
}

TEST_CASE("LoadConfig: checks accounts, regions and secrets", "[broker]") {
  CHECK(ErrorOf("[aws]\naccount = \"1234\"\n") == "aws.account is \"1234\"; an account has twelve digits");
  CHECK(ErrorOf("[aws]\nregion = \"\"\n") == "aws.region is empty");
  CHECK(ErrorOf("[aws]\ntls_certificate = \"a.pem\"\n") ==
        "aws.tls_key is missing; aws.tls_certificate and aws.tls_key go together");
  CHECK(ErrorOf("[aws]\ntls_key = \"a.pem\"\n") ==
        "aws.tls_certificate is missing; aws.tls_certificate and aws.tls_key go together");
  CHECK(ErrorOf("[aws.access_keys]\nAKIA1 = \"\"\n") == "aws.access_keys.AKIA1 is empty");
  CHECK(ErrorOf("[aws.accounts]\nAKIA1 = \"x\"\n") == "aws.accounts.AKIA1 is \"x\"; an account has twelve digits");
}

TEST_CASE("LoadConfig: object stores, from the file and the environment; their secrets are not shown", "[broker]") {
  const ConfigFile file("[delivery]\nlake_dir = \"s3://\"\n[delivery.s3]\naccess_key_id = \"AK\"\n");
  const auto config = LoadConfig({.file = file.path(),
                                  .environment = {{"SLUICE_DELIVERY__S3__SECRET_ACCESS_KEY", "hidden"},
                                                  {"SLUICE_DELIVERY__S3__REQUEST_TIMEOUT", "7s"}},
                                  .overrides = {{"delivery.s3.endpoint_override", "http://[::1]:9000"}}});
  REQUIRE(config.has_value());
  CHECK(config->delivery.lake_dir == "s3://");
  CHECK(config->delivery.stores.s3.secret_access_key == "hidden");
  CHECK(config->delivery.stores.s3.request_timeout_ms == 7'000);
  CHECK(config->delivery.stores.s3.endpoint_override == "http://[::1]:9000");
  for (const SettingText& setting : DescribeConfig(*config)) CHECK_FALSE(setting.value.contains("hidden"));
  CHECK(ErrorOf("[delivery.s3]\naccess_key_id = \"a\"\n").starts_with("delivery.s3.secret_access_key is missing"));
  CHECK(ErrorOf("[delivery.s3]\nsession_token = \"a\"\n").starts_with("delivery.s3.session_token needs"));
  CHECK(
      ErrorOf("[delivery.azure]\naccount_key = \"a\"\nsas_token = \"b\"\n").starts_with("delivery.azure.account_key"));
}

TEST_CASE("LoadConfig: clusters of domains, by name or ARN; their passwords are not shown", "[broker]") {
  const auto config = Load(R"(
[delivery]
secrets_dir = "/secrets"
[delivery.domains]
orders = "https://user:c4n4ry@h:9200"
"arn:aws:es:eu-west-1:123456789012:domain/a.b" = "http://127.0.0.1:9200"
)");
  REQUIRE(config.has_value());
  CHECK(config->delivery.secrets_dir == "/secrets");
  CHECK(config->delivery.domains ==
        std::map<std::string, std::string>{{"arn:aws:es:eu-west-1:123456789012:domain/a.b", "http://127.0.0.1:9200"},
                                           {"orders", "https://user:c4n4ry@h:9200"}});
  for (const SettingText& setting : DescribeConfig(*config)) CHECK_FALSE(setting.value.contains("c4n4ry"));
  CHECK(ErrorOf("[delivery.domains]\norders = \"user:c4n4ry@h\"\n") ==
        "FILE:2: delivery.domains.orders: an address begins with https:// (or http://)");
}

TEST_CASE("LoadConfig: the sample file is the defaults", "[broker]") {
  const auto sample = LoadConfig({.file = "broker/sluice.toml", .environment = {}, .overrides = {}});
  REQUIRE(sample.has_value());
  const auto shown = DescribeConfig(*sample);
  const auto defaults = DescribeConfig(Config());
  REQUIRE(shown.size() == defaults.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    CHECK(shown[i].key + " = " + shown[i].value == defaults[i].key + " = " + defaults[i].value);
  }
}

TEST_CASE("LoadConfig: sample and reference have every key, default and range", "[broker]") {
  const std::string sample = ReadText("broker/sluice.toml");
  const std::string reference = ReadText("docs/config.md");
  std::size_t at = 0;
  std::string section;
  for (const SettingText& setting : DescribeConfig(Config())) {
    INFO(setting.key);
    CHECK(reference.find("`" + setting.key + "` | `" + setting.value + "`") != std::string::npos);
    if (setting.range == "a table of texts") {
      CHECK(sample.find("\n[" + setting.key + "]\n") != std::string::npos);
      continue;
    }
    const std::size_t dot = setting.key.rfind('.');
    if (section != setting.key.substr(0, dot) && setting.key != "storage.allow_volatile") {
      section = setting.key.substr(0, dot);
      at = sample.find("\n[" + section + "]\n");
      REQUIRE(at != std::string::npos);
    }
    const std::size_t line = sample.find("\n" + setting.key.substr(dot + 1) + " = " + setting.value + "\n",
                                         setting.key == "storage.allow_volatile" ? 0 : at);
    REQUIRE(line != std::string::npos);
    if (setting.range == "a text") continue;
    const std::size_t comment = sample.rfind("\n\n", line) == std::string::npos ? 0 : sample.rfind("\n[", line);
    CHECK(sample.substr(comment, line - comment).find(setting.range) != std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::broker

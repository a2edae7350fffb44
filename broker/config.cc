// Reads the sources one after the other into the settings.
#include "broker/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "broker/setting.h"
#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::broker {
namespace {

constexpr std::string_view kEnvironmentPrefix = "SLUICE_";

// Puts values into one configuration, whatever source they come from.
class Reader {
 public:
  explicit Reader(Config& config) : settings_(SettingsOf(config)) {
    for (const Setting& setting : settings_) keys_.emplace_back(setting.key);
  }

  const std::vector<std::string>& keys() const { return keys_; }

  /// `origin` says where the value stands: "sluice.toml:12".
  Status Set(std::string_view origin, const std::string& key, const SettingValue& value) {
    for (const Setting& setting : settings_) {
      if (setting.key == key) {
        return Assign(setting, value).WithContext(fmt::format("{}: {}", origin, key));
      }
      const auto* map = std::get_if<TextMap>(&setting.target);
      const std::string below = std::string(setting.key) + ".";
      const auto* text = std::get_if<std::string>(&value);
      if (map != nullptr && key.starts_with(below) && key.size() > below.size()) {
        if (text == nullptr) {
          return Status(Code::kInvalidArgument,
                        fmt::format("{}: {}: the value must be a text such as \"/srv/lake\"", origin, key));
        }
        if (map->check != nullptr) {
          Status status = map->check(*text).WithContext(fmt::format("{}: {}", origin, key));
          if (!status.ok()) return status;
        }
        (*map->value)[key.substr(below.size())] = *text;
        return {};
      }
    }
    return Status(Code::kInvalidArgument,
                  fmt::format("{}: unknown key '{}'{}", origin, key, protocol::DidYouMean(key, keys_)));
  }

 private:
  std::vector<Setting> settings_;
  std::vector<std::string> keys_;
};

Status ReadTable(Reader& reader, const std::string& file, const std::string& prefix, const toml::table& table) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    const std::string origin = fmt::format("{}:{}", file, static_cast<std::uint32_t>(node.source().begin.line));
    Status status;
    if (const toml::table* inner = node.as_table()) {
      status = ReadTable(reader, file, key, *inner);
    } else if (const auto* text = node.as_string()) {
      status = reader.Set(origin, key, text->get());
    } else if (const auto* number = node.as_integer()) {
      status = reader.Set(origin, key, number->get());
    } else if (const auto* boolean = node.as_boolean()) {
      status = reader.Set(origin, key, boolean->get());
    } else {
      status = Status(Code::kInvalidArgument,
                      fmt::format("{}: {}: a value must be a text, a whole number, or true or false", origin, key));
    }
    if (!status.ok()) return status;
  }
  return {};
}

// A section without keys is not seen by Set; a mistyped one must not pass.
Status CheckSections(const Reader& reader, const std::string& file, const toml::table& table) {
  std::vector<std::string> sections;
  for (const std::string& key : reader.keys()) {
    const std::string section = key.substr(0, key.find('.'));
    if (std::ranges::find(sections, section) == sections.end()) sections.push_back(section);
  }
  for (const auto& [name, node] : table) {
    const std::string section(name.str());
    if (std::ranges::find(sections, section) != sections.end()) continue;
    return Status(Code::kInvalidArgument, fmt::format("{}:{}: unknown section '{}'{}", file,
                                                      static_cast<std::uint32_t>(node.source().begin.line), section,
                                                      protocol::DidYouMean(section, sections)));
  }
  return {};
}

Status ReadFile(Reader& reader, const std::string& file) {
  const Result<std::string> text = ReadTextFile(file);
  if (!text) {
    return Status(Code::kNotFound,
                  fmt::format("{}: the configuration file cannot be read: {}", file, text.error().message()));
  }
  try {
    const toml::table table = toml::parse(*text, file);
    if (Status status = CheckSections(reader, file, table); !status.ok()) return status;
    return ReadTable(reader, file, "", table);
  } catch (const toml::parse_error& error) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{}:{}: not valid TOML: {}", file, static_cast<std::uint32_t>(error.source().begin.line),
                              error.description()));
  }
}

// SLUICE_STORAGE__SEGMENT_BYTES is storage.segment_bytes, SLUICE_AWS__ACCESS_KEYS__AKIA1 is aws.access_keys.AKIA1: what
// the user names himself keeps its case. Variables without "__" are not settings (SLUICE_BROKER is the client's).
std::string KeyOfVariable(std::string_view name, const std::vector<std::string>& keys) {
  name.remove_prefix(kEnvironmentPrefix.size());
  std::string key;
  int dots = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (dots == 2) {
      const std::string section_of_its_own = key + protocol::Lower(name.substr(i));  // delivery.s3.region
      if (std::ranges::find(keys, section_of_its_own) != keys.end()) return section_of_its_own;
      return key.append(name.substr(i));
    }
    if (name.substr(i).starts_with("__")) {
      key.push_back('.');
      ++dots;
      ++i;
    } else {
      key.push_back(protocol::Lower(name[i]));
    }
  }
  return key;
}

Status ReadEnvironment(Reader& reader, const std::map<std::string, std::string>& environment) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kEnvironmentPrefix) || name.find("__") == std::string::npos) continue;
    Status status = reader.Set("environment variable " + name, KeyOfVariable(name, reader.keys()), value);
    if (!status.ok()) return status;
  }
  return {};
}

bool IsAccount(std::string_view text) {
  constexpr std::size_t kDigits = 12;
  return text.size() == kDigits && std::ranges::all_of(text, protocol::IsDigit);
}

Status CheckAws(const aws::AuthOptions& auth, const aws::TlsFiles& files) {
  if (!IsAccount(auth.account)) {
    return Status(Code::kInvalidArgument,
                  fmt::format("aws.account is \"{}\"; an account has twelve digits", auth.account));
  }
  if (auth.region.empty()) return Status(Code::kInvalidArgument, "aws.region is empty");
  if (files.certificate.empty() != files.key.empty()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("aws.{} is missing; aws.tls_certificate and aws.tls_key go together",
                              files.key.empty() ? "tls_key" : "tls_certificate"));
  }
  for (const auto& [key, secret] : auth.access_keys) {
    if (secret.empty()) return Status(Code::kInvalidArgument, fmt::format("aws.access_keys.{} is empty", key));
  }
  for (const auto& [key, account] : auth.accounts) {
    if (!IsAccount(account)) {
      return Status(Code::kInvalidArgument,
                    fmt::format("aws.accounts.{} is \"{}\"; an account has twelve digits", key, account));
    }
  }
  return {};
}

Status CheckStores(const delivery::StoreSettings& stores) {
  if (stores.s3.access_key_id.empty() != stores.s3.secret_access_key.empty()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("delivery.s3.{} is missing; access_key_id and secret_access_key go together",
                              stores.s3.access_key_id.empty() ? "access_key_id" : "secret_access_key"));
  }
  if (!stores.s3.session_token.empty() && stores.s3.access_key_id.empty())
    return Status(Code::kInvalidArgument, "delivery.s3.session_token needs access_key_id and secret_access_key");
  if (!stores.azure.account_key.empty() && !stores.azure.sas_token.empty())
    return Status(Code::kInvalidArgument, "delivery.azure.account_key and sas_token are both set; one is enough");
  return {};
}

// What no single setting can say.
Status CheckTogether(const Config& config) {
  if (config.append.record_bytes_max > config.append.batch_bytes_max) {
    return Status(Code::kInvalidArgument,
                  "append.record_bytes_max is over append.batch_bytes_max; no such record would fit");
  }
  if (config.storage.journal_bytes_max < 2 * config.storage.journal_file_bytes) {
    return Status(Code::kInvalidArgument,
                  "storage.journal_bytes_max must hold two files of storage.journal_file_bytes");
  }
  if (config.server.data_dir.empty()) return Status(Code::kInvalidArgument, "server.data_dir is empty");
  if (Status status = CheckAws(config.aws.auth, config.aws.tls.files); !status.ok()) return status;
  const std::string& endpoint = config.delivery.lambda.endpoint;
  if (!endpoint.empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    return Status(Code::kInvalidArgument,
                  fmt::format("delivery.lambda_endpoint is \"{}\"; it must begin with http:// or https://", endpoint));
  }
  if (!config.delivery.signing_secret.empty() && config.delivery.secrets_dir.empty()) {
    return Status(Code::kInvalidArgument,
                  "delivery.signing_secret needs delivery.secrets_dir, in which the secret is a file");
  }
  return CheckStores(config.delivery.stores);
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || (file.peek(), file.bad())) {  // a directory opens, and is not read
    return Error(errno == ENOENT ? Code::kNotFound : Code::kIoError, std::strerror(errno));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<Config> LoadConfig(const ConfigSources& sources) {
  Config config;
  Reader reader(config);
  Status status;
  if (sources.file) status = ReadFile(reader, *sources.file);
  if (status.ok()) status = ReadEnvironment(reader, sources.environment);
  for (const auto& [key, value] : sources.overrides) {
    if (status.ok()) status = reader.Set("command line", key, value);
  }
  if (status.ok()) status = CheckTogether(config);
  if (!status.ok()) return Error(status);
  return config;
}

std::vector<SettingText> DescribeConfig(const Config& config) {
  Config copy = config;
  std::vector<SettingText> texts;
  for (const Setting& setting : SettingsOf(copy)) {
    texts.push_back({std::string(setting.key), ValueOf(setting), RangeOf(setting)});
  }
  return texts;
}

}  // namespace sluice::broker

// The configuration: every setting of the broker, from a TOML file, the environment and the command line.
//
// Later sources win: defaults, file, environment (SLUICE_SECTION__KEY), command line. A wrong key, type or value is an
// error that names the file and line (or the variable, or the option), the key, and what would be right. docs/config.md
// lists all settings; broker/sluice.toml is the documented sample with all defaults.
//
// This is the only reader of configuration: modules get their own options struct and know nothing of files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/api/admin/admin_door.h"
#include "broker/api/aws/aws_door.h"
#include "broker/api/firehose/firehose_options.h"
#include "broker/api/kinesis/kinesis_options.h"
#include "broker/api/native/native_door.h"
#include "broker/append_service.h"
#include "broker/delivery/delivery_options.h"
#include "broker/encryption/keyring.h"
#include "broker/log.h"
#include "broker/read_service.h"
#include "broker/retention.h"
#include "broker/shard_growth.h"
#include "sluice/status.h"
#include "storage/log_store.h"

namespace sluice::broker {

struct ServerOptions {
  std::string data_dir = "sluice-data";
  std::uint32_t event_loops = 0;              // 0: one per core less one, at least one
  std::int64_t shutdown_timeout_ms = 10'000;  // for requests in work when the broker is asked to stop
  bool allow_volatile = false;                // serve from tmpfs, NFS or FUSE, where "durable" may not hold
};

struct Config {
  ServerOptions server;
  storage::LogStoreOptions storage;
  AppendOptions append;
  ReadOptions read;
  RetentionOptions retention;
  GrowthOptions growth;
  EncryptionOptions encryption;
  LogOptions log;
  native::NativeDoorOptions native;
  aws::AwsDoorOptions aws;
  kinesis::KinesisOptions kinesis;
  firehose::FirehoseOptions firehose;
  admin::AdminDoorOptions admin;
  delivery::DeliveryOptions delivery;
};

struct ConfigSources {
  std::optional<std::string> file;                             // path of a TOML file
  std::map<std::string, std::string> environment;              // all variables; only SLUICE_SECTION__KEY are looked at
  std::vector<std::pair<std::string, std::string>> overrides;  // "section.key" and value, as the command line gave them
};

/// The environment of this process, for ConfigSources.
std::map<std::string, std::string> ProcessEnvironment();

/// A small file of the user, whole. kNotFound or kIoError with the system's words, without the name; a directory is an
/// error too.
Result<std::string> ReadTextFile(const std::string& path);

Result<Config> LoadConfig(const ConfigSources& sources);

/// One setting as text, in the order of the sample file.
struct SettingText {
  std::string key;    // "section.key"
  std::string value;  // as TOML
  std::string range;  // "1 to 65535", "1KiB to 1TiB", "text, json"
};
/// Every setting of `config`; what `sluice serve` logs at debug level, and what the sample and the reference are
/// checked with.
std::vector<SettingText> DescribeConfig(const Config& config);

}  // namespace sluice::broker

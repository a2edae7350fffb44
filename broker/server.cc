// Puts the parts together in the order in which they need one another, and takes them apart in the other.
#include "broker/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "broker/api/admin/admin_door.h"
#include "broker/api/aws/aws_door.h"
#include "broker/api/cloudwatch/cloudwatch_service.h"
#include "broker/api/dynamodb/dynamodb_service.h"
#include "broker/api/firehose/firehose_service.h"
#include "broker/api/kinesis/kinesis_service.h"
#include "broker/api/native/native_door.h"
#include "broker/append_service.h"
#include "broker/data_dir.h"
#include "broker/delivery/delivery_manager.h"
#include "broker/delivery/delivery_metrics.h"
#include "broker/encryption/key_file.h"
#include "broker/encryption/keyring.h"
#include "broker/groups/group_metrics.h"
#include "broker/groups/group_service.h"
#include "broker/log.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "broker/read_service.h"
#include "broker/reshard.h"
#include "broker/retention.h"
#include "broker/self_made_certificate.h"
#include "broker/shard_growth.h"
#include "broker/shards.h"
#include "broker/signals.h"
#include "broker/store_metrics.h"
#include "broker/stream_catalog.h"
#include "broker/version.h"
#include "protocol/check.h"
#include "storage/env/posix_env.h"
#include "storage/log_store.h"
#include "storage/metadata_store.h"

namespace sluice::broker {
namespace {

// Why the broker is not ready; for /readyz.
class Readiness {
 public:
  void Set(std::string reason) {
    const std::lock_guard lock(mutex_);
    reason_ = std::move(reason);
  }
  std::string reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::string reason_ = "starting";  // guarded by mutex_; empty: ready
};

void LogRecovery(const storage::RecoveryReport& report) {
  if (report.new_directory) return log::Info("log made in a new data directory", {{"duration_ms", report.duration_ms}});
  log::Info("log opened", {{"clean_shutdown", report.clean_shutdown},
                           {"duration_ms", report.duration_ms},
                           {"journal_bytes_scanned", report.journal_bytes_scanned},
                           {"frames_replayed", report.frames_replayed},
                           {"torn_bytes_cut", report.torn_bytes_cut}});
}

// At every start until somebody has decided.
void LogDamage(storage::LogStore& store, const StreamCatalog& catalog) {
  for (const StreamPtr& stream : catalog.ListAll()) {
    for (const ShardInfo& shard : stream->all_shards) {
      const storage::ShardDamage damage = store.OpenShard({stream->id, shard.shard})->damage();
      if (damage.quarantine.empty()) continue;
      log::Error(
          "a shard takes no records: some of its own are lost. Put back the files, or go on without the lost "
          "records with 'sluice stream accept-loss'",
          {{"stream", stream->name}, {"shard", shard.shard.value}, {"why", damage.quarantine}});
    }
  }
}

std::set<std::string, std::less<>> AccountsOf(const aws::AuthOptions& auth) {
  std::set<std::string, std::less<>> accounts{auth.account};
  for (const auto& [key, account] : auth.accounts) accounts.insert(account);
  return accounts;
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Config config)
      : config_(std::move(config)),
        env_(storage::NewPosixEnv()),
        loops_(config_.server.event_loops),
        metrics_(loops_.size()),
        application_metrics_(env_->clock()) {}
  ~Impl() { (void)Stop(); }

  Status Start();
  Status Stop();
  Ports ports() const { return ports_; }

 private:
  Status PrepareDataDir();
  Status OpenAdminDoor();
  Status OpenStores();
  Status OpenKeyring();
  Status OpenServices();
  Status OpenGroups();
  Status OpenDoors();
  Status OpenAwsDoor();
  std::string AwsAddress(std::uint16_t port) const;
  Status Ready() const;
  Status TakeApart();
  bool FinishDoors();

  const Config config_;
  std::unique_ptr<storage::Env> env_;
  EventLoops loops_;
  Metrics metrics_;
  cloudwatch::MetricTable application_metrics_;
  Readiness readiness_;
  std::unique_ptr<admin::AdminDoor> admin_door_;
  std::unique_ptr<storage::LogStore> store_;
  std::unique_ptr<storage::MetadataStore> metadata_;
  std::unique_ptr<StreamCatalog> catalog_;
  std::unique_ptr<Keyring> keyring_;
  RetentionHolds holds_;
  std::unique_ptr<Shards> shards_;
  std::unique_ptr<AppendService> appends_;
  std::unique_ptr<ReadService> reads_;
  std::unique_ptr<Resharder> resharder_;
  std::unique_ptr<groups::GroupService> groups_;
  std::unique_ptr<delivery::DeliveryManager> delivery_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<ShardGrowth> growth_;
  std::unique_ptr<native::NativeDoor> native_door_;
  std::unique_ptr<aws::AwsDoor> aws_door_;
  Ports ports_;
  bool ports_written_ = false;
  std::optional<Status> stopped_;
};

Status Server::Impl::Start() {
  Status status = PrepareDataDir();
  if (status.ok()) status = OpenAdminDoor();
  if (status.ok()) status = OpenStores();
  if (status.ok()) status = OpenKeyring();
  if (status.ok()) status = OpenServices();
  if (status.ok()) status = OpenDoors();
  if (!status.ok()) return status;
  readiness_.Set("");
  store_->SetEndObserver([this](const Status& why) {
    log::Error("writing has ended", {{"reason", why}});
    readiness_.Set(why.message());
  });
  log::Info("broker is ready", {{"version", kVersion},
                                {"native", fmt::format("{}:{}", config_.native.address, ports_.native)},
                                {"admin", fmt::format("{}:{}", config_.admin.address, ports_.admin)},
                                {"aws", AwsAddress(ports_.aws)},
                                {"aws_tls", AwsAddress(ports_.aws_tls)},
                                {"data_dir", config_.server.data_dir},
                                {"event_loops", loops_.size()},
                                {"streams", catalog_->List().size()}});
  return {};
}

Status Server::Impl::PrepareDataDir() {
  if (Status status = CheckDurableFileSystem(config_.server.data_dir); !status.ok()) {
    if (!config_.server.allow_volatile || status.code() != Code::kFailedPrecondition) return status;
    log::Warning("acknowledged records may be lost with the machine: storage.allow_volatile is set",
                 {{"data_dir", config_.server.data_dir}});
  }
  return env_->MakeDirs(config_.server.data_dir).WithContext("the data directory (server.data_dir) cannot be made");
}

Status Server::Impl::OpenAdminDoor() {
  admin::AdminPages pages{.metrics = [this] { return metrics_.Render(); }, .ready = [this] { return Ready(); }};
  auto door = admin::AdminDoor::Start(loops_, env_->clock(), std::move(pages), config_.admin);
  if (!door) return door.error();
  admin_door_ = std::move(*door);
  ports_.admin = admin_door_->port();
  return {};
}

Status Server::Impl::OpenStores() {
  readiness_.Set("recovering the log");
  storage::RecoveryReport report;
  auto store = storage::LogStore::Open(*env_, config_.server.data_dir, config_.storage, &report);
  if (!store) return store.error();
  store_ = std::move(*store);
  RemovePortsFile(config_.server.data_dir);  // of a broker that was killed
  LogRecovery(report);
  auto metadata = storage::OpenRocksdbMetadataStore(MetadataDir(config_.server.data_dir));
  if (!metadata) return metadata.error();
  metadata_ = std::move(*metadata);
  auto catalog = StreamCatalog::Open(*metadata_, env_->clock());
  if (!catalog) return catalog.error();
  catalog_ = std::move(*catalog);
  const auto orphans = Shards::DropOrphans(*store_, *catalog_);
  if (!orphans) return orphans.error();
  if (*orphans > 0)
    log::Info("removing the shards of streams that were deleted before the last stop", {{"shards", *orphans}});
  LogDamage(*store_, *catalog_);
  store_->SetCommitObserver([this](std::int64_t latency_ns, std::uint64_t) { metrics_.RecordCommit(latency_ns); });
  metrics_.AddSource([this](MetricSink& sink) { CollectStoreMetrics(*store_, *catalog_, sink); });
  return {};
}

Status Server::Impl::OpenKeyring() {
  std::unique_ptr<KeyProvider> provider;
  if (!config_.encryption.key_file.empty()) {
    auto opened = OpenKeyFile(*env_, config_.encryption.key_file);
    if (!opened) return opened.error().WithContext("the master keys cannot be read (encryption.key_file)");
    provider = std::move(*opened);
  }
  const KeyringParts parts{.catalog = *catalog_, .clock = env_->clock(), .run_blocking = [this](auto task) {
                             loops_.RunBlocking(std::move(task));
                           }};
  keyring_ = std::make_unique<Keyring>(parts, std::move(provider), config_.encryption);
  return {};
}

Status Server::Impl::OpenServices() {
  shards_ = std::make_unique<Shards>(loops_, ShardsParts{.store = *store_, .catalog = *catalog_, .keyring = *keyring_});
  appends_ = AppendService::New(*shards_, *store_, metrics_, env_->clock(), config_.append);
  reads_ = ReadService::New(*shards_, metrics_, config_.read);
  resharder_ = std::make_unique<Resharder>(*shards_, *catalog_, env_->clock());
  if (Status status = OpenGroups(); !status.ok()) return status;
  auto delivery = delivery::DeliveryManager::Start(
      config_.delivery, {.catalog = *catalog_,
                         .loops = loops_,
                         .appends = *appends_,
                         .append_options = config_.append,
                         .reads = *reads_,
                         .holds = holds_,
                         .metadata = *metadata_,
                         .env = *env_,
                         .work_dir = DeliveryWorkDir(config_.server.data_dir),
                         .keys = keyring_->provider(),
                         .forget_stream = [this](StreamPtr stream) { shards_->ForgetStream(std::move(stream)); },
                         .region = config_.aws.auth.region,
                         .account = config_.aws.auth.account,
                         .spool_dir = UploadsDir(config_.server.data_dir)});
  if (!delivery) return delivery.error();
  delivery_ = std::move(*delivery);
  metrics_.AddSource([this](MetricSink& sink) { delivery::CollectDeliveryMetrics(*delivery_, env_->clock(), sink); });
  // After the delivery streams have said what retention must keep for them.
  retention_ = std::make_unique<Retention>(
      RetentionParts{
          .store = *store_, .catalog = *catalog_, .holds = holds_, .shards = *shards_, .clock = env_->clock()},
      config_.retention);
  retention_->Start();
  growth_ = std::make_unique<ShardGrowth>(
      GrowthParts{.store = *store_, .catalog = *catalog_, .resharder = *resharder_, .clock = env_->clock()},
      config_.growth);
  growth_->Start();
  return {};
}

Status Server::Impl::OpenGroups() {
  auto groups = groups::GroupService::Open({.metadata = *metadata_,
                                            .catalog = *catalog_,
                                            .store = *store_,
                                            .clock = env_->clock(),
                                            .random = env_->random()});
  if (!groups) return groups.error();
  groups_ = std::move(*groups);
  groups_->Start();
  metrics_.AddSource([this](MetricSink& sink) { groups::CollectGroupMetrics(*groups_, env_->clock(), sink); });
  return {};
}

Status Server::Impl::OpenDoors() {
  readiness_.Set("opening the doors");
  const native::NativeDoorParts parts{.catalog = *catalog_,
                                      .shards = *shards_,
                                      .holds = holds_,
                                      .store = *store_,
                                      .resharder = *resharder_,
                                      .groups = *groups_,
                                      .keyring = *keyring_,
                                      .appends = *appends_,
                                      .reads = *reads_,
                                      .metrics = metrics_,
                                      .clock = env_->clock(),
                                      .append_options = config_.append,
                                      .delivery = delivery_.get()};
  auto door = native::NativeDoor::Start(parts, config_.native);
  if (!door) return door.error();
  native_door_ = std::move(*door);
  ports_.native = native_door_->port();
  if (Status status = OpenAwsDoor(); !status.ok()) return status;
  ports_written_ = true;
  return WritePortsFile(config_.server.data_dir, ports_);
}

Status Server::Impl::OpenAwsDoor() {
  if (!config_.aws.enabled) return {};
  auto kinesis = kinesis::KinesisService({.catalog = *catalog_,
                                          .shards = *shards_,
                                          .holds = holds_,
                                          .store = *store_,
                                          .metadata = *metadata_,
                                          .appends = *appends_,
                                          .reads = *reads_,
                                          .keyring = *keyring_,
                                          .resharder = *resharder_,
                                          .clock = env_->clock(),
                                          .random = env_->random(),
                                          .append_options = config_.append,
                                          .accounts = AccountsOf(config_.aws.auth),
                                          .options = config_.kinesis});
  if (!kinesis) return kinesis.error();
  auto dynamodb = dynamodb::DynamodbService({.metadata = *metadata_, .clock = env_->clock(), .random = env_->random()});
  if (!dynamodb) return dynamodb.error();
  std::vector<aws::Service> services;
  services.push_back(std::move(*kinesis));
  const auto puts = std::make_shared<firehose::PutMetrics>();
  metrics_.AddSource([this, puts](MetricSink& sink) { puts->Collect(*delivery_, sink); });
  services.push_back(firehose::FirehoseService({.catalog = *catalog_,
                                                .appends = *appends_,
                                                .deliveries = *delivery_,
                                                .keyring = *keyring_,
                                                .clock = env_->clock(),
                                                .random = env_->random(),
                                                .append_options = config_.append,
                                                .options = config_.firehose,
                                                .put_metrics = puts}));
  services.push_back(std::move(*dynamodb));
  services.push_back(cloudwatch::CloudwatchService(application_metrics_));
  metrics_.AddSource([this](MetricSink& sink) { application_metrics_.Collect(sink); });
  aws::AwsDoorOptions options = config_.aws;
  if (options.tls.enabled && options.tls.files.certificate.empty()) {
    auto files = SelfMadeCertificate(*env_, config_.server.data_dir);
    if (!files) return files.error().WithContext("the AWS port has no certificate (aws.tls_certificate)");
    options.tls.files = std::move(*files);
  }
  auto door = aws::AwsDoor::Start({.loops = loops_, .env = *env_}, std::move(services), std::move(options));
  if (!door) return door.error();
  aws_door_ = std::move(*door);
  ports_.aws = aws_door_->port();
  ports_.aws_tls = aws_door_->tls_port();
  metrics_.AddSource([this](MetricSink& sink) { aws_door_->CollectMetrics(sink); });
  return {};
}

std::string Server::Impl::AwsAddress(std::uint16_t port) const {
  return port == 0 ? "off" : fmt::format("{}:{}", config_.aws.address, port);
}

Status Server::Impl::Ready() const {
  if (const std::string reason = readiness_.reason(); !reason.empty()) return Status(Code::kUnavailable, reason);
  if (store_->stats().disk_full) {
    return Status(Code::kUnavailable, "the disk is full: appends are refused until there is space; reads go on");
  }
  return {};
}

Status Server::Impl::Stop() {
  if (!stopped_) stopped_ = TakeApart();
  return *stopped_;
}

Status Server::Impl::TakeApart() {
  readiness_.Set("stopping");
  if (ports_written_) RemovePortsFile(config_.server.data_dir);
  if (native_door_) native_door_->StopAccepting();
  if (aws_door_) aws_door_->StopAccepting();
  if (delivery_) delivery_->Stop();
  if (shards_) shards_->Stop();
  if (!FinishDoors()) {
    log::Warning("some connections did not finish in time and were closed",
                 {{"timeout_ms", config_.server.shutdown_timeout_ms}});
  }
  if (growth_) growth_->Stop();
  if (groups_) groups_->Stop();
  if (retention_) retention_->Stop();
  if (admin_door_) admin_door_->Stop();
  loops_.DrainBlocking();
  Status closed;
  if (store_) closed = store_->Close();
  loops_.Stop();
  if (!store_) return closed;
  if (closed.ok()) {
    log::Info("broker has stopped; the log is closed");
  } else {
    log::Error("the log could not be closed; the next start recovers it", {{"reason", closed}});
  }
  return closed;
}

// All doors together have the time of one.
bool Server::Impl::FinishDoors() {
  const std::int64_t start_ns = env_->clock().MonotonicNs();
  bool clean = true;
  if (native_door_) clean = native_door_->Finish(config_.server.shutdown_timeout_ms);
  if (!aws_door_) return clean;
  const std::int64_t passed_ms = (env_->clock().MonotonicNs() - start_ns) / 1'000'000;
  return aws_door_->Finish(std::max<std::int64_t>(config_.server.shutdown_timeout_ms - passed_ms, 0)) && clean;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(Config config) {
  if (Status status = log::Configure(config.log); !status.ok()) return Error(status);
  IgnoreWriteSignals();
  storage::RaiseFileLimit();
  auto impl = std::make_unique<Impl>(std::move(config));
  if (Status status = impl->Start(); !status.ok()) return Error(status);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Ports Server::ports() const { return impl_->ports(); }
Status Server::Stop() { return impl_->Stop(); }

ExitCode Server::Run() {
  StopSignals signals(static_cast<int>(ExitCode::kSecondSignal));
  log::Info("stopping", {{"signal", signals.Wait()}});
  return Stop().ok() ? ExitCode::kOk : ExitCode::kDirtyStop;
}

}  // namespace sluice::broker

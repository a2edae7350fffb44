// All delivery streams of a broker: loaded at start, made from files, the API or the command line, worked on by a small
// pool.
//
// Start-up: every stored delivery stream is opened and sets its retention holds before Start returns, so start it
// before the retention task. Then the files of the configured folder are read, and again and again while the manager
// works (config_folder.h). A file of a delivery stream that exists is compared with what is stored: a change that can
// be made is made, one that cannot is logged and nothing changes.
//
// Threads: Start and Stop by one thread; the rest from any. Stop before the event loops stop: the workers wait for
// their answers.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/append_service.h"
#include "broker/delivery/config_folder.h"
#include "broker/delivery/delivery_options.h"
#include "broker/delivery/delivery_stream.h"
#include "broker/delivery/delivery_workers.h"
#include "broker/delivery/secret_provider.h"
#include "broker/delivery/trial_delivery.h"
#include "broker/delivery_control.h"
#include "broker/delivery_registry.h"
#include "broker/loop/event_loops.h"
#include "broker/read_service.h"
#include "broker/retention_holds.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"
#include "storage/metadata_store.h"

namespace sluice::delivery {

/// What the broker gives; all outlive the manager.
struct BrokerParts {
  broker::StreamCatalog& catalog;
  broker::EventLoops& loops;
  broker::AppendService& appends;  // takes dead letters
  broker::AppendOptions append_options;
  broker::ReadService& reads;
  broker::RetentionHolds& holds;
  storage::MetadataStore& metadata;
  storage::Env& env;
  std::string work_dir;                 // for what is set aside while a delivery is made
  broker::KeyProvider* keys = nullptr;  // that it is encrypted with; nullptr: there are none
  /// Drops the shards of a stream that the catalog has deleted (the hidden stream of a direct-put delivery stream).
  std::function<void(broker::StreamPtr)> forget_stream;
  std::string region = "us-east-1";  // and account: of the ARNs that processors tell others
  std::string account = "000000000000";
  std::string spool_dir = "sluice-spool";  // for what is on its way to a remote store; made when it is needed
};

class DeliveryManager final : public broker::DeliveryControl, public broker::DeliveryRegistry {
 public:
  static Result<std::unique_ptr<DeliveryManager>> Start(DeliveryOptions options, BrokerParts parts);
  ~DeliveryManager() override;
  void Stop();

  Result<DeliveryAnswer> Handle(DeliveryAction action, std::string_view name, std::string_view document,
                                std::string_view document_name) override;

  void RetrySource(std::string_view source) override;

  broker::DeliveryInfoPtr Find(std::string_view name) const override;
  std::vector<broker::DeliveryInfoPtr> All() const override;
  Result<broker::DeliveryInfoPtr> Make(const broker::DeliveryDraft& draft) override;
  Result<broker::DeliveryInfoPtr> Edit(std::string_view name, const Editor& edit) override;
  Status EditTags(std::string_view name, const TagEditor& edit) override;
  Status Discard(std::string_view name) override;

  /// Of all delivery streams, by name; for metrics.
  std::vector<std::pair<std::string, DeliveryStatus>> Statuses() const;

 private:
  using StreamPtr = std::shared_ptr<DeliveryStream>;

  DeliveryManager(DeliveryOptions options, BrokerParts parts);
  Status OpenLake();
  Result<std::vector<StreamPtr>> LoadAll();
  Result<StreamPtr> LoadOne(const std::string& name);
  void BeginWork(const StreamPtr& stream);
  void ExpectBuckets(const DeliveryStream& stream);
  std::vector<std::string> BucketProblems(const DeliveryConfig& config);
  void WarnOfLake(const DeliveryStream& stream);
  ConfigFolderUse UseOfFiles();

  Result<DeliveryAnswer> Create(std::string_view document, std::string_view document_name);
  Result<ParsedDeliveryConfig> ParseAndCheck(std::string_view document, std::string_view document_name);
  Result<DeliveryAnswer> Make(const ParsedDeliveryConfig& parsed);
  /// `given` is kept for the door that makes it.
  Result<StreamPtr> MakeStream(const DeliveryConfig& config, const std::string& given);
  Result<DeliveryAnswer> Change(const StreamPtr& stream, const ParsedDeliveryConfig& parsed);
  /// `records`: a sample that is tried as well.
  Result<DeliveryAnswer> Check(std::string_view document, std::string_view document_name,
                               const std::optional<std::vector<std::string>>& records);
  Result<DeliveryAnswer> Try(std::string_view request, std::string_view document_name);
  Result<TrialOutcome> TryRecords(const DeliveryConfig& config, const std::vector<std::string>& records);
  Result<DeliveryAnswer> List();
  Result<DeliveryAnswer> Pause(std::string_view name, bool paused);
  Result<DeliveryAnswer> Flush(std::string_view name, std::string_view earlier);
  Result<DeliveryAnswer> Delete(std::string_view name);
  enum class Undelivered : bool { kRefuse, kDiscard };
  Status Remove(const StreamPtr& stream, Undelivered undelivered);
  Result<DeliveryAnswer> Ledger(std::string_view name, std::string_view from);
  Result<DeliveryAnswer> Errors(std::string_view name, std::string_view request);
  Result<DeliveryAnswer> Replay(std::string_view name, std::string_view request);
  /// Of a configuration that is to come into force in place of one with the dead-letter stream `before`. kNotFound:
  /// it is not there; kInvalidArgument: what fails would come back.
  Status CheckDeadLetterStream(const DeliveryConfig& config, std::string_view before) const;
  std::map<std::string, std::string> PlacesOf(const DeliveryConfig& config, const Checkpoint& checkpoint);
  Result<std::vector<LedgerEntry>> LedgerOf(DeliveryStream& stream);
  std::unique_ptr<StreamAppender> NewAppender() const;
  Result<DeliveryAnswer> Describe(std::string_view name);

  Result<StreamPtr> FindStream(std::string_view name) const;
  Result<TimeZone> LoadZone(const std::string& name);
  Result<std::string> ReadFile(const std::string& path);
  GlueTables tables() const { return options_.tables_dir.empty() ? GlueTables::kNotAsked : GlueTables::kAsked; }
  Result<std::string> ExampleKey(const DeliveryConfig& config);
  Result<std::string> ExampleCopy(const DeliveryConfig& config);
  /// Whether this broker can reach the destination and log in there: kInvalidArgument says which setting or file is in
  /// the way.
  Status CheckDestination(const DeliveryConfig& config) const;
  std::string StagingWarning(const DeliveryConfig& config);
  Result<broker::StreamPtr> SourceOf(const DeliveryConfig& config);
  Status Store(const DeliveryConfig& config, StreamId source, const std::string& given);
  std::int64_t StepAndLog(DeliveryStream& stream);
  /// Runs `work` while the delivery stream does no step; one that waits for others is cut off.
  void Between(DeliveryStream& stream, const std::function<void()>& work);
  static void LogChange(const DeliveryStream& stream, const ConfigChange& change);
  ProcessorSettings MakeProcessorSettings() const;

  const DeliveryOptions options_;
  BrokerParts parts_;
  std::atomic<bool> stopping_ = false;
  const std::unique_ptr<SecretProvider> secrets_;  // nullptr: there are none
  std::unique_ptr<ObjectStore> objects_;
  std::mutex control_mutex_;  // one change at a time
  mutable std::mutex streams_mutex_;
  std::map<std::string, StreamPtr, std::less<>> streams_;  // guarded by streams_mutex_
  ConfigFolder config_folder_;                             // the config task's
  DeliveryWorkers workers_;                                // last: its threads use all of the above
};

}  // namespace sluice::delivery

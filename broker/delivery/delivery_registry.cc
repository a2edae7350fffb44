// Delivery streams as values: DeliveryManager's side for doors that have words of their own.
#include "broker/delivery/config_change.h"
#include "broker/delivery/delivery_answers.h"
#include "broker/delivery/delivery_manager.h"
#include "broker/log.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kDraft = "";  // what its messages begin with: the door says where they come from

void LogWarnings(const std::string& name, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    broker::log::Warning("about a delivery stream's configuration", {{"delivery_stream", name}, {"warning", warning}});
  }
}

}  // namespace

broker::DeliveryInfoPtr DeliveryManager::Find(std::string_view name) const {
  const std::lock_guard lock(streams_mutex_);
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second->info();
}

std::vector<broker::DeliveryInfoPtr> DeliveryManager::All() const {
  const std::lock_guard lock(streams_mutex_);
  std::vector<broker::DeliveryInfoPtr> all;
  all.reserve(streams_.size());
  for (const auto& [name, stream] : streams_) all.push_back(stream->info());
  return all;
}

Result<broker::DeliveryInfoPtr> DeliveryManager::Make(const broker::DeliveryDraft& draft) {
  const std::lock_guard lock(control_mutex_);
  const Result<ParsedDeliveryConfig> parsed = ParseAndCheck(draft.document, kDraft);
  if (!parsed) return Error(parsed.error());
  const Result<StreamPtr> stream = MakeStream(parsed->config, draft.given);
  if (!stream) return Error(stream.error());
  LogWarnings(parsed->config.name, parsed->warnings);
  return (*stream)->info();
}

Result<broker::DeliveryInfoPtr> DeliveryManager::Edit(std::string_view name, const Editor& edit) {
  const std::lock_guard lock(control_mutex_);
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return Error(stream.error());
  const Result<std::optional<broker::DeliveryDraft>> draft = edit(*(*stream)->info());
  if (!draft) return Error(draft.error());
  if (!*draft) return (*stream)->info();
  const Result<ParsedDeliveryConfig> parsed = ParseAndCheck((*draft)->document, kDraft);
  if (!parsed) return Error(parsed.error());
  Status dead_letters = CheckDeadLetterStream(parsed->config, (*stream)->config()->dead_letter_stream);
  if (!dead_letters.ok()) return Error(std::move(dead_letters));
  const std::uint32_t before = (*stream)->info()->version;
  Result<ConfigChange> change = ConfigChange();
  Between(**stream, [&] { change = (*stream)->Reconfigure(parsed->config, (*draft)->given); });
  if (!change) return Error(change.error());
  if ((*stream)->info()->version != before) {
    LogChange(**stream, *change);
    LogWarnings((*stream)->name(), parsed->warnings);
  }
  return (*stream)->info();
}

Status DeliveryManager::EditTags(std::string_view name, const TagEditor& edit) {
  const std::lock_guard lock(control_mutex_);
  const Result<StreamPtr> stream = FindStream(name);
  if (!stream) return stream.error();
  broker::DeliveryTags tags = (*stream)->info()->tags;
  if (Status status = edit(tags); !status.ok()) return status;
  if (tags == (*stream)->info()->tags) return Status();
  Status status;
  Between(**stream, [&] { status = (*stream)->SetTags(tags); });
  return status;
}

Status DeliveryManager::Discard(std::string_view name) {
  const std::lock_guard lock(control_mutex_);
  const Result<StreamPtr> stream = FindStream(name);
  return stream ? Remove(*stream, Undelivered::kDiscard) : stream.error();
}

}  // namespace sluice::delivery

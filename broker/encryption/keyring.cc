// Unwrapping at the start and after each change; making, replacing and wrapping again.
#include "broker/encryption/keyring.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/log.h"
#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::broker {
namespace {

/// What a wrapped key is bound to, so that it serves no other stream and under no other number.
std::string ContextOf(StreamId stream, std::uint32_t number) {
  std::string context = "sluice data key";
  const std::size_t at = context.size();
  context.resize(at + 8);
  protocol::StoreBigEndian(context.data() + at, stream.value);
  protocol::StoreBigEndian(context.data() + at + 4, number);
  return context;
}

}  // namespace

Keyring::Keyring(KeyringParts parts, std::unique_ptr<KeyProvider> provider, EncryptionOptions options)
    : parts_(std::move(parts)), provider_(std::move(provider)), options_(std::move(options)) {
  for (const StreamPtr& stream : parts_.catalog.ListAll()) {
    if (stream->encryption.data_keys.empty()) continue;
    const auto keys = KeysOf(stream->id);
    for (const WrappedKey& wrapped : stream->encryption.data_keys) {
      if (keys->Find(wrapped.number) != nullptr) continue;
      log::Error(
          "records of an encrypted stream cannot be read or written: its data key cannot be used",
          {{"stream", stream->name}, {"data_key", wrapped.number}, {"why", Unwrap(*stream, wrapped).why.message()}});
    }
    WrapAgain(*stream, *keys);
  }
}

std::shared_ptr<StreamKeys> Keyring::NewKeys(StreamId stream) {
  const KeyLife life{.age_ms_max = options_.data_key_age_ms, .batches_max = options_.data_key_batches_max};
  return std::make_shared<StreamKeys>(life, parts_.clock,
                                      [this, stream] { parts_.run_blocking([this, stream] { Replace(stream); }); });
}

// The catalog is asked while the lock is held: a change that it shows already has its Reload behind it or before it.
std::shared_ptr<StreamKeys> Keyring::KeysOf(StreamId stream) {
  const std::lock_guard lock(mutex_);
  auto& keys = keys_[stream];
  if (keys != nullptr) return keys;
  keys = NewKeys(stream);
  const auto info = parts_.catalog.Find(stream);
  if (info && !(*info)->encryption.data_keys.empty()) {
    keys->Set(UnwrapAll(**info, *keys), (*info)->encryption.on);
  }
  return keys;
}

void Keyring::Forget(StreamId stream) {
  const std::lock_guard lock(mutex_);
  keys_.erase(stream);
}

void Keyring::Reload(StreamId stream) {
  const std::lock_guard lock(mutex_);
  const auto info = parts_.catalog.Find(stream);
  if (!info) return;
  auto& keys = keys_[stream];
  if (keys == nullptr) keys = NewKeys(stream);
  keys->Set(UnwrapAll(**info, *keys), (*info)->encryption.on);
}

std::vector<StreamKey> Keyring::UnwrapAll(const StreamInfo& stream, const StreamKeys& known) {
  std::vector<StreamKey> keys;
  for (const WrappedKey& wrapped : stream.encryption.data_keys) {
    auto live = known.Find(wrapped.number);
    keys.push_back(live != nullptr ? StreamKey{.number = wrapped.number, .key = std::move(live)}
                                   : Unwrap(stream, wrapped));
  }
  return keys;
}

StreamKey Keyring::Unwrap(const StreamInfo& stream, const WrappedKey& wrapped) {
  StreamKey key{.number = wrapped.number, .key = nullptr};
  if (provider_ == nullptr) {
    key.why = Status(Code::kNotFound, "encryption.key_file is not set; set it to the file that has the key '" +
                                          wrapped.master_key + "', and restart the broker");
    return key;
  }
  auto secret = provider_->Unwrap(wrapped.master_key, ContextOf(stream.id, wrapped.number), wrapped.wrapped);
  auto live = secret ? LiveKey::New(std::move(*secret), wrapped.number, wrapped.created_ms) : Error(secret.error());
  if (live) key.key = std::move(*live);
  if (!live) key.why = live.error();
  return key;
}

std::string Keyring::MasterFor(std::string_view key_id) const {
  return provider_->Has(key_id) ? std::string(key_id) : provider_->Current();
}

Status Keyring::Renew(StreamInfo& stream, std::string_view key_id) {
  if (provider_ == nullptr) {
    return Status(Code::kFailedPrecondition,
                  "this broker has no master keys: set encryption.key_file to a file that 'sluice key new' has made, "
                  "and restart the broker");
  }
  EncryptionSettings& encryption = stream.encryption;
  WrappedKey made{.number = encryption.data_keys.empty() ? 1 : encryption.data_keys.back().number + 1,
                  .master_key = MasterFor(key_id),
                  .wrapped = {},
                  .created_ms = parts_.clock.WallMs()};
  const auto secret = protocol::SecretKey::Random();
  if (!secret) return secret.error();
  auto wrapped = provider_->Wrap(made.master_key, ContextOf(stream.id, made.number), *secret);
  if (!wrapped) return wrapped.error();
  made.wrapped = std::move(*wrapped);
  // No record is to depend on a key that does not come back.
  if (const StreamKey back = Unwrap(stream, made); back.key == nullptr) return back.why;
  encryption.on = true;
  encryption.key_id = key_id;
  encryption.data_keys.push_back(std::move(made));
  return {};
}

Result<StreamPtr> Keyring::Encrypt(std::string_view stream, std::string_view key_id) {
  auto changed = parts_.catalog.Change(stream, [&](StreamInfo& info) { return Renew(info, key_id); });
  if (!changed) return changed;
  Reload((*changed)->id);
  return changed;
}

Result<StreamPtr> Keyring::StopEncrypting(std::string_view stream) {
  auto changed = parts_.catalog.Change(stream, [](StreamInfo& info) {
    info.encryption.on = false;
    return Status();
  });
  if (!changed) return changed;
  Reload((*changed)->id);
  return changed;
}

// Of a stream that may have been changed or deleted meanwhile.
void Keyring::Replace(StreamId stream) {
  const auto info = parts_.catalog.Find(stream);
  if (!info || !(*info)->encryption.on) return;
  const std::uint32_t old = (*info)->encryption.data_keys.back().number;
  const auto changed = parts_.catalog.Change((*info)->name, [&](StreamInfo& now) {
    const bool same = now.id == stream && now.encryption.on && now.encryption.data_keys.back().number == old;
    return same ? Renew(now, now.encryption.key_id) : Status();
  });
  if (!changed) {
    return log::Warning("the data key of an encrypted stream could not be replaced; it stays in use",
                        {{"stream", (*info)->name}, {"data_key", old}, {"why", changed.error().message()}});
  }
  Reload(stream);
  log::Info("data key replaced",
            {{"stream", (*info)->name}, {"data_key", (*changed)->encryption.data_keys.back().number}});
}

void Keyring::WrapAgain(const StreamInfo& stream, const StreamKeys& keys) {
  if (provider_ == nullptr) return;
  const std::string master = MasterFor(stream.encryption.key_id);
  const auto is_by_another = [&](const WrappedKey& wrapped) { return wrapped.master_key != master; };
  if (std::ranges::none_of(stream.encryption.data_keys, is_by_another)) return;
  std::size_t wrapped_again = 0;
  const auto changed = parts_.catalog.Change(stream.name, [&](StreamInfo& info) {
    for (WrappedKey& wrapped : info.encryption.data_keys) {
      const auto live = keys.Find(wrapped.number);
      if (live == nullptr || !is_by_another(wrapped)) continue;
      auto again = provider_->Wrap(master, ContextOf(info.id, wrapped.number), live->key());
      if (!again) return again.error();
      WrappedKey made{wrapped.number, master, std::move(*again), wrapped.created_ms};
      if (const StreamKey back = Unwrap(info, made); back.key == nullptr) return back.why;
      wrapped = std::move(made);
      ++wrapped_again;
    }
    return Status();
  });
  if (!changed) {
    log::Warning("data keys stay wrapped by an older master key",
                 {{"stream", stream.name}, {"why", changed.error().message()}});
  } else if (wrapped_again > 0) {
    log::Info("data keys wrapped by another master key",
              {{"stream", stream.name}, {"data_keys", wrapped_again}, {"master_key", master}});
  }
}

}  // namespace sluice::broker

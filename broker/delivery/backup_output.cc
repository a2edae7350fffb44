// One object after another.
#include "broker/delivery/backup_output.h"

#include <algorithm>
#include <iterator>

#include "broker/delivery/raw_object_writer.h"
#include "protocol/check.h"

namespace sluice::delivery {

BackupOutput::BackupOutput(const ObjectParts& parts) : parts_(parts) {
  if (!wanted()) return;
  SLUICE_CHECK(parts.terms.config.backup.has_value());
  object_bytes_ = parts.terms.config.backup->size_mb << 20;
}

/// By the bytes before it, so that the keys that the intent has are enough for all records.
std::size_t BackupOutput::PlaceOfNext() const {
  return std::min<std::uint64_t>(bytes_ / object_bytes_, parts_.intent.backup_keys.size() - 1);
}

Status BackupOutput::Append(std::span<const RecordRef> records) {
  if (!wanted()) return Status();
  while (!records.empty()) {
    if (Status status = OpenFor(PlaceOfNext()); !status.ok()) return status;
    std::size_t count = 0;
    do {
      bytes_ += records[count++].value.size();
    } while (count < records.size() && PlaceOfNext() == part_);
    const Result<AppendOutcome> outcome = writer_->Append(records.first(count));
    if (!outcome) return outcome.error();
    records = records.subspan(count);
  }
  return Status();
}

Status BackupOutput::OpenFor(std::size_t part) {
  if (writer_ != nullptr && part == part_) return Status();
  if (writer_ != nullptr) {
    if (Status status = Close(); !status.ok()) return status;
  }
  part_ = part;
  return Open();
}

Status BackupOutput::Open() {
  const BackupConfig& backup = *parts_.terms.config.backup;
  Result<std::unique_ptr<ObjectSpool>> spool =
      parts_.objects.NewSpool(backup.bucket, parts_.terms.config.name + ".backup");
  if (!spool) return spool.error();
  spool_ = std::move(*spool);
  spool_->content_encoding = RawCompressionContentEncoding(backup.compression);
  const std::string& key = parts_.intent.backup_keys[part_];
  Result<std::unique_ptr<ObjectWriter>> writer = NewRawObjectWriter({.compression = backup.compression,
                                                                     .delimiter = backup.delimiter,
                                                                     .delimiter_after_last = true,
                                                                     .zip_entry_name = HashedUuid(key)},
                                                                    *spool_);
  if (!writer) return writer.error();
  writer_ = std::move(*writer);
  return Status();
}

Status BackupOutput::Close() {
  const ObjectMetadata metadata{.stream = parts_.stream.name,
                                .delivery_stream = parts_.terms.config.name,
                                .uid = parts_.intent.uid,
                                .ranges = parts_.intent.ranges,
                                .extra = {{"backup", "source records"}}};
  const Result<ObjectSummary> summary = writer_->Finish(metadata);
  if (!summary) return summary.error();
  writer_.reset();
  const std::string& key = parts_.intent.backup_keys[part_];
  done_.push_back(
      {.key = key, .rows = summary->rows, .bytes = spool_->bytes(), .checksum = spool_->checksum(), .backup = true});
  return parts_.objects.Put(parts_.terms.config.backup->bucket, key, std::move(spool_));
}

Status BackupOutput::Finish(LedgerEntry& entry) {
  if (writer_ != nullptr) {
    if (Status status = Close(); !status.ok()) return status;
  }
  std::ranges::copy(done_, std::back_inserter(entry.objects));
  done_.clear();
  return Status();
}

}  // namespace sluice::delivery

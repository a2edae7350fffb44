// Ranges first, then the objects of the ledger, then all other files of the bucket.
#include "tools/verify/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "broker/delivery/checksum.h"
#include "protocol/ascii.h"
#include "tools/lake/lake.h"
#include "tools/verify/bucket_files.h"
#include "tools/verify/error_proof.h"

namespace sluice::tools {
namespace {

using delivery::DeliveredObject;
using delivery::LedgerDocument;
using delivery::LedgerEntry;
using delivery::SourceRange;

/// Size and XXH3-64 of a file; nullopt where it cannot be read.
struct FileFacts {
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};
std::optional<FileFacts> ReadFileFacts(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  delivery::Checksum checksum;
  std::vector<char> buffer(1u << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    checksum.Add(std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount())));
  }
  return FileFacts{checksum.bytes(), checksum.value()};
}

class Verifier {
 public:
  Verifier(const LedgerDocument& ledger, const VerifyPlaces& places, const delivery::StoreSettings& stores,
           const DeadLetterReader& dead_letters)
      : ledger_(ledger),
        places_(places),
        stores_(stores),
        dead_letters_(dead_letters),
        errors_(ledger, report_.problems) {
    report_.name = ledger.name;
    report_.stream = ledger.stream;
    report_.endpoint = ledger.endpoint;
    report_.directory = DirectoryOf(ledger.bucket);
    report_.shards = ledger.shards;
  }

  Result<VerifyReport> Run(const std::function<void(const VerifyProgress&)>& progress) {
    if (Status status = OpenBuckets(); !status.ok()) return Error(std::move(status));
    if (!ledger_.stream_exists) {
      Problem("source missing", "", {},
              fmt::format("stream '{}' was deleted or is lost with its metadata; that the ledger tells of all of its "
                          "records cannot be proven",
                          ledger_.stream));
    }
    CheckSequence();
    for (const delivery::ShardPosition& shard : ledger_.shards) CheckShard(shard);
    reading_.bytes_total = BytesOfLedger();
    for (const LedgerEntry& entry : ledger_.entries) {
      if (progress) progress(reading_);
      if (Status status = CheckEntry(entry); !status.ok()) return Error(std::move(status));
    }
    if (ledger_.intent) Expect(*ledger_.intent);
    for (auto& [directory, bucket] : buckets_) {
      if (Status status = CheckOtherFiles(bucket); !status.ok()) return Error(std::move(status));
      if (bucket.has_lake) report_.directories.push_back(directory);
    }
    if (report_.directories.empty()) report_.directories.push_back(report_.directory);
    return std::move(report_);
  }

 private:
  /// Objects in one place, the keys of those that belong there, and how a user names another place.
  struct Bucket {
    std::unique_ptr<BucketFiles> files;
    std::string option;
    std::set<std::string> known = {};
    bool used = false;      // the ledger has objects of it
    bool has_lake = false;  // others than those of a backup
  };

  /// Empty where nobody has said it.
  std::string DirectoryOf(const std::string& bucket) const {
    if (const auto named = places_.buckets.find(bucket); named != places_.buckets.end()) return named->second;
    if (bucket == ledger_.bucket && !places_.directory.empty()) return places_.directory;
    if (bucket == ledger_.backup_bucket && !places_.backup_directory.empty()) return places_.backup_directory;
    const auto found = ledger_.directories.find(bucket);
    return found == ledger_.directories.end() ? "" : found->second;
  }

  /// Several buckets may be in one place, whose objects are looked at once.
  Status OpenBuckets() {
    std::map<std::string, std::string> options{{ledger_.bucket, "--directory"}};
    if (!ledger_.backup_bucket.empty()) options.try_emplace(ledger_.backup_bucket, "--backup-directory");
    for (const auto& [bucket, directory] : ledger_.directories)
      options.try_emplace(bucket, fmt::format("--bucket {}=DIR", bucket));
    for (const auto& [bucket, option] : options) {
      const std::string directory = DirectoryOf(bucket);
      if (buckets_.contains(directory)) continue;
      Result<std::unique_ptr<BucketFiles>> files = BucketFiles::Open(directory, stores_);
      if (!files) return files.error();
      buckets_.emplace(directory, Bucket{std::move(*files), option});
    }
    return Status();
  }

  Bucket& BucketOf(const LedgerEntry& entry, const DeliveredObject& object) {
    const auto found = buckets_.find(DirectoryOf(object.backup ? entry.backup_bucket : entry.bucket));
    return found == buckets_.end() ? buckets_.at(DirectoryOf(ledger_.bucket)) : found->second;
  }

  void Problem(std::string_view kind, std::string_view object, std::vector<SourceRange> ranges, std::string message) {
    report_.problems.push_back({std::string(kind), std::string(object), std::move(ranges), std::move(message)});
  }

  std::uint64_t BytesOfLedger() const {
    std::uint64_t bytes = 0;
    for (const LedgerEntry& entry : ledger_.entries) {
      for (const DeliveredObject& object : entry.objects) bytes += object.bytes;
    }
    return bytes;
  }

  void CheckSequence() {
    std::uint64_t expected = 1;
    for (const LedgerEntry& entry : ledger_.entries) {
      if (entry.seq != expected) {
        Problem("ledger damaged", "", entry.ranges,
                fmt::format("delivery {} follows where {} is expected", entry.seq, expected));
      }
      expected = entry.seq + 1;
    }
  }

  /// The ledger's ranges of one shard, in order: each begins where the one before it ends.
  void CheckShard(const delivery::ShardPosition& shard) {
    std::vector<SourceRange> ranges;
    for (const LedgerEntry& entry : ledger_.entries) {
      for (const SourceRange& range : entry.ranges) {
        if (range.shard == shard.shard) ranges.push_back(range);
      }
      for (const delivery::LostRange& range : entry.lost) {
        if (range.shard != shard.shard) continue;
        ranges.push_back(range);
        report_.lost += range.last - range.first + 1;
        if (range.accepted) {
          report_.given_up.push_back(range);
          continue;
        }
        Problem("records lost", "", {range}, "retention removed these records before they were delivered");
      }
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const SourceRange& a, const SourceRange& b) { return a.first < b.first; });
    Offset next = shard.start;
    for (const SourceRange& range : ranges) {
      if (range.first > next) {
        Problem("records missing", "", {{shard.shard, next, Offset(range.first.value - 1)}},
                "no delivery has these records");
      } else if (range.first < next) {
        const Offset last = std::min(range.last, Offset(next.value - 1));
        Problem("records twice", "", {{shard.shard, range.first, last}}, "two deliveries have these records");
      }
      next = std::max(next, range.last + 1);
    }
    if (next < shard.next) {
      Problem("records missing", "", {{shard.shard, next, Offset(shard.next.value - 1)}},
              "no delivery has these records");
    } else if (next > shard.next) {
      Problem("ledger damaged", "", {{shard.shard, shard.next, Offset(next.value - 1)}},
              "these deliveries lie behind the checkpoint");
    }
    report_.records += shard.next - shard.start;
  }

  Status CheckEntry(const LedgerEntry& entry) {
    bool has_data = false;
    bool has_errors = false;
    std::uint64_t error_rows = 0;
    told_ = 0;
    all_told_ = true;
    errors_.Begin(entry);
    std::uint64_t in_backup = 0;
    for (const DeliveredObject& object : entry.objects) {
      Bucket& bucket = BucketOf(entry, object);
      bucket.known.insert(object.key);
      bucket.used = true;
      bucket.has_lake = bucket.has_lake || !object.backup;
      has_data = has_data || (!object.error && !object.backup && !object.manifest);
      has_errors = has_errors || object.error;
      if (object.error) error_rows += object.rows;
      if (object.backup) in_backup += object.rows;
      if (Status status = CheckObject(entry, object); !status.ok()) return status;
    }
    for (const delivery::DeadLetters& letters : entry.dead_letters) {
      has_errors = true;
      error_rows += letters.records();
      if (Status status = CheckDeadLetters(entry, letters); !status.ok()) return status;
    }
    std::uint64_t replayed = 0;  // counted before, when they failed
    for (const delivery::ReplayedLines& replay : entry.replays) replayed += CountLines(replay.lines);
    if (entry.replays.empty()) CheckBackup(entry, in_backup);
    const std::uint64_t elsewhere = entry.errors + entry.filtered + entry.sent;
    const std::uint64_t good = entry.user_records - std::min(entry.user_records, elsewhere);
    report_.user_records += entry.user_records - std::min(entry.user_records, replayed);
    report_.in_lake += good;
    report_.in_errors += entry.errors;
    report_.in_errors -= std::min(report_.in_errors, replayed);
    report_.replayed += replayed;
    report_.filtered += entry.filtered;
    report_.sent += entry.sent;
    if (entry.load) (entry.load->loaded ? report_.loaded_rows : report_.skipped_rows) += entry.rows;
    if (elsewhere > entry.user_records) {
      Problem("ledger damaged", "", entry.ranges,
              fmt::format("delivery {} counts more records than it has", entry.seq));
    } else if (has_data != (good > 0) || has_errors != (entry.errors > 0) || error_rows != entry.errors) {
      Problem("ledger damaged", "", entry.ranges,
              fmt::format("delivery {} names other objects than its counts demand", entry.seq));
    } else if (entry.schema_version > 0 && all_told_ && told_ != good) {
      Problem(
          "object changed", "", entry.ranges,
          fmt::format("the objects of delivery {} say that they hold {} records, with opened ones; {} were delivered",
                      entry.seq, told_, good));
    }
    return Status();
  }

  /// A backup has all records of its delivery.
  void CheckBackup(const LedgerEntry& entry, std::uint64_t in_backup) {
    report_.in_backup += in_backup;
    if (in_backup == (entry.backup_bucket.empty() ? 0 : entry.records)) return;
    Problem("records missing in the backup", "", entry.ranges,
            fmt::format("delivery {} has {} records, and {} of them are in its backup", entry.seq, entry.records,
                        in_backup));
  }

  Status CheckDeadLetters(const LedgerEntry& entry, const delivery::DeadLetters& letters) {
    const delivery::LineRanges open = errors_.OpenOf(letters);  // the others were delivered again
    report_.dead_letters += CountLines(open);
    if (!dead_letters_) return Status();
    std::uint64_t seen = 0;
    std::uint64_t seen_open = 0;
    const Result<std::uint64_t> gone = dead_letters_(letters, [&](Offset offset, std::string_view line) {
      ++seen;
      if (HasLine(open, offset.value)) ++seen_open;
      errors_.CheckDeadLetter(entry, letters, offset, line);
    });
    if (!gone) return gone.error().WithContext(fmt::format("dead-letter stream '{}'", letters.stream));
    if (*gone > 0) report_.dead_letters_gone += CountLines(open) - std::min(CountLines(open), seen_open);
    if (seen + *gone != letters.records()) {
      Problem("error records missing", letters.stream, entry.ranges,
              fmt::format("offsets {} to {} of shard {} are dead letters of delivery {}, and the stream has {} of them",
                          letters.first.value, letters.last.value, letters.shard.index.value, entry.seq, seen));
    }
    return Status();
  }

  /// An error is a store that does not answer: that says nothing of the object.
  Status CheckObject(const LedgerEntry& entry, const DeliveredObject& object) {
    const Result<std::unique_ptr<LocalObject>> local = BucketOf(entry, object).files->Fetch(object.key);
    if (!local && local.error().code() == Code::kCorruption) {
      Problem("object changed", object.key, entry.ranges, local.error().message());
      return Status();
    }
    if (!local && local.error().code() != Code::kNotFound) return local.error();
    const std::optional<FileFacts> facts = local ? ReadFileFacts((*local)->path()) : std::nullopt;
    if (!facts) {
      Problem("object missing", object.key, entry.ranges, "the object is not there, or cannot be read");
      all_told_ = all_told_ && (object.backup || object.manifest);
      return Status();
    }
    ++reading_.objects;
    reading_.bytes += facts->bytes;
    if (!object.manifest) ++(object.backup ? report_.backup_objects : report_.objects);
    if (!object.backup && !object.manifest) report_.bytes += facts->bytes;
    if (facts->bytes != object.bytes) {
      Problem("object changed", object.key, entry.ranges,
              fmt::format("the object has {} bytes; {} were delivered", facts->bytes, object.bytes));
    } else if (facts->checksum != object.checksum) {
      Problem("object changed", object.key, entry.ranges, "the object holds other bytes than were delivered");
    }
    if (object.error) {
      errors_.Check(entry, object, (*local)->path());
    } else if (!object.backup && !object.manifest) {  // of a backup, size and checksum stand for the records
      CheckDataObject(entry, object, (*local)->path());
    }
    return Status();
  }

  /// What the object says of itself, and its rows, counted again.
  void CheckDataObject(const LedgerEntry& entry, const DeliveredObject& object, const std::string& path) {
    if (entry.schema_version == 0) {  // records of any bytes cannot be told apart; size and checksum stand for them
      report_.rows += object.rows;
      return;
    }
    const Result<std::vector<LakeObject>> read = ListLake({path});
    if (!read || read->size() != 1 || !read->front().problem.empty()) {
      const std::string why = !read           ? read.error().message()
                              : read->empty() ? "it is no lake object"
                                              : read->front().problem;
      Problem("object unreadable", object.key, entry.ranges, why);
      all_told_ = false;
      return;
    }
    const LakeObject& lake = read->front();
    report_.rows += lake.rows;
    all_told_ = all_told_ && lake.facts.has_value();
    if (lake.facts) told_ += lake.facts->summary.user_records - lake.facts->summary.errors;
    if (lake.rows != object.rows) {
      Problem("rows differ", object.key, entry.ranges,
              fmt::format("the object has {} rows; {} were delivered", lake.rows, object.rows));
    }
    if (!lake.facts) {
      Problem("object changed", object.key, entry.ranges, "the object does not say which records it holds");
    } else if (lake.facts->metadata.delivery_stream != ledger_.name || lake.facts->metadata.ranges != entry.ranges) {
      Problem("object changed", object.key, entry.ranges,
              "the object says that it holds other records than the ledger");
    } else if (const std::string& uid = lake.facts->metadata.uid;
               !uid.empty() && !ledger_.uid.empty() && uid != ledger_.uid) {
      Problem("object changed", object.key, entry.ranges,
              "the object says that it is of an earlier delivery stream of this name");
    }
  }

  /// No other file may look like ours or say that it comes from this delivery stream.
  Status CheckOtherFiles(Bucket& bucket) {
    const Result<std::vector<std::string>> keys = bucket.files->Keys();
    if (!keys && keys.error().code() == Code::kNotFound) {
      if (!bucket.used) return Status();
      return Status(Code::kNotFound, fmt::format("{}; name it with {}", keys.error().message(), bucket.option));
    }
    if (!keys) return keys.error();
    for (const std::string& key : *keys) {
      if (bucket.known.contains(key)) continue;
      if (Status status = CheckOtherFile(bucket, key); !status.ok()) return status;
    }
    return Status();
  }

  /// What is being delivered may be there already, in the buckets that it was decided with.
  void Expect(const delivery::Intent& intent) {
    for (auto& [directory, bucket] : buckets_) {
      bucket.known.insert({intent.data_key, intent.error_key});
      bucket.known.insert(intent.other_keys.begin(), intent.other_keys.end());
      bucket.known.insert(intent.backup_keys.begin(), intent.backup_keys.end());
    }
  }

  Status CheckOtherFile(Bucket& bucket, const std::string& key) {
    const Result<std::unique_ptr<LocalObject>> local = bucket.files->FetchFacts(key);
    if (!local && local.error().code() == Code::kNotFound) return Status();  // it has gone since
    if (!local && local.error().code() != Code::kCorruption) return local.error();
    const Result<delivery::ObjectFacts> facts =
        local ? ReadObjectRanges((*local)->path()) : Result<delivery::ObjectFacts>(Error(local.error()));
    if (facts && facts->metadata.delivery_stream == ledger_.name) {
      CheckOwnFile(key, facts->metadata);
    } else if (HasOurName(std::string_view(key).substr(key.rfind('/') + 1))) {
      Problem("object unknown", key, {},
              "the file is called as an object of this delivery stream, but the ledger does not know it: of an earlier "
              "delivery stream of this name, or not ours. Move it away where its rows are there twice");
    }
    return Status();
  }

  /// A file that says that it comes from a delivery stream of this name.
  void CheckOwnFile(const std::string& key, const delivery::ObjectMetadata& metadata) {
    const bool mine = !metadata.uid.empty() && metadata.uid == ledger_.uid;
    if (mine && ledger_.intent && metadata.ranges == ledger_.intent->ranges) return;  // of the delivery being made
    if (metadata.uid.empty() || ledger_.uid.empty()) {
      Problem(
          "object unknown", key, metadata.ranges,
          "the file says that it comes from this delivery stream, but the ledger does not know it: a copy, or of an "
          "earlier delivery stream of this name; its rows may be there twice. Move it away where they are");
    } else if (mine) {
      Problem("object unknown", key, metadata.ranges,
              "the file says that it comes from this delivery stream, but the ledger does not know it: a copy, whose "
              "rows are there twice. Move it away");
    } else if (metadata.stream == ledger_.stream &&
               std::ranges::any_of(metadata.ranges, [&](const SourceRange& range) { return Delivered(range); })) {
      Problem("records twice", key, metadata.ranges,
              "the file is of an earlier delivery stream of this name, which delivered these offsets too. Move it away "
              "where its rows are there twice");
    } else {
      ++report_.earlier;
    }
  }

  /// Whether this delivery stream answers for some of these records.
  bool Delivered(const SourceRange& range) const {
    return std::ranges::any_of(ledger_.shards, [&](const delivery::ShardPosition& shard) {
      return shard.shard == range.shard && range.first < shard.next && shard.start <= range.last;
    });
  }

  /// NAME-VERSION-yyyy-MM-dd-HH-mm-ss-UUID...
  bool HasOurName(std::string_view file) const {
    if (!file.starts_with(ledger_.name) || !file.substr(ledger_.name.size()).starts_with('-')) return false;
    std::string_view rest = file.substr(ledger_.name.size() + 1);
    const std::size_t version = rest.find_first_not_of("0123456789");
    if (version == 0 || version == rest.npos || rest[version] != '-') return false;
    rest.remove_prefix(version + 1);
    constexpr std::string_view kShape = "dddd-dd-dd-dd-dd-dd-hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    if (rest.size() < kShape.size()) return false;
    for (std::size_t i = 0; i < kShape.size(); ++i) {
      const char c = rest[i];
      const bool digit = protocol::IsDigit(c);
      const bool fits = kShape[i] == '-' ? c == '-' : kShape[i] == 'd' ? digit : digit || (c >= 'a' && c <= 'f');
      if (!fits) return false;
    }
    return true;
  }

  const LedgerDocument& ledger_;
  const VerifyPlaces& places_;
  const delivery::StoreSettings& stores_;
  const DeadLetterReader& dead_letters_;
  std::map<std::string, Bucket> buckets_ = {};  // by their places
  VerifyReport report_;
  VerifyProgress reading_;
  std::uint64_t told_ = 0;  // records that the data objects of the delivery in hand say they hold
  bool all_told_ = true;    // false where one of them could not be asked
  ErrorProof errors_;
};

}  // namespace

Result<VerifyReport> VerifyDelivery(const LedgerDocument& ledger, const VerifyPlaces& places,
                                    const std::function<void(const VerifyProgress&)>& progress,
                                    const delivery::StoreSettings& stores, const DeadLetterReader& dead_letters) {
  return Verifier(ledger, places, stores, dead_letters).Run(progress);
}

Result<LedgerDocument> CollectLedger(const std::function<Result<std::string>(const std::string&)>& page) {
  LedgerDocument ledger;
  for (bool first = true; first || !ledger.next.empty(); first = false) {
    const Result<std::string> json = page(ledger.next);
    if (!json) return Error(json.error());
    Result<LedgerDocument> read = delivery::LedgerDocumentFromJson(*json);
    if (!read) return read;
    if (first) {
      ledger = std::move(*read);
    } else {
      delivery::AddLedgerPage(ledger, std::move(*read));
    }
  }
  return ledger;
}

}  // namespace sluice::tools

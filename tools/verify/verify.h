// The proof of a delivery stream: its ledger against the objects of the lake, in a directory or a remote store.
//
// Every sequence number from the start of the delivery stream up to its checkpoint must be in exactly one of: a lake
// object, the error output, filtered, or among those that an endpoint has acknowledged, which are counted; so must each
// record of a KPL aggregate that was opened, whose whole has one sequence number. That is shown from both sides: the
// ledger's ranges follow one another without gap or overlap; and every object of the ledger is there, whole (size and
// checksum), says the same ranges of itself, holds the rows that were counted, and no other file claims to come from
// this delivery stream. Error records are read one by one, those of a dead-letter stream as far as its retention has
// left them. Of a delivery with a backup, each source record must be there
// as well, once. A delivery's objects are looked for in the buckets that it was made with.
//
// Threads: a pure function over objects.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_options.h"
#include "broker/delivery/ledger_document.h"
#include "sluice/status.h"

namespace sluice::tools {

struct VerifyProblem {
  std::string kind;    // "missing records", "object missing", "object changed", "object unknown", ...
  std::string object;  // key; empty where it is about ranges only
  std::vector<delivery::SourceRange> ranges;  // the records concerned
  std::string message;                        // one sentence
};

struct VerifyReport {
  std::string name;
  std::string stream;
  std::string directory;                 // of the bucket in force
  std::vector<std::string> directories;  // of those with objects, but for backups; that one where there is none
  std::string endpoint;                  // where records are sent to instead of the lake; empty: nowhere
  std::vector<delivery::ShardPosition> shards;
  std::uint64_t records = 0;       // from the starts to the checkpoint
  std::uint64_t user_records = 0;  // the same with what opened KPL aggregates hold in their place; of these:
  std::uint64_t in_lake = 0;
  std::uint64_t in_errors = 0;
  std::uint64_t dead_letters = 0;       // of these, records of dead-letter streams; of these again:
  std::uint64_t dead_letters_gone = 0;  // removed by its retention, or with the stream: not looked at
  std::uint64_t filtered = 0;
  std::uint64_t replayed = 0;                   // were in errors, and were delivered again
  std::uint64_t in_backup = 0;                  // besides, as they came
  std::uint64_t backup_objects = 0;             // with them, which `objects` does not count
  std::uint64_t sent = 0;                       // taken by an endpoint; what it has of them only it can say
  std::uint64_t loaded_rows = 0;                // of those in the lake: loaded into a cluster, as the ledger says
  std::uint64_t skipped_rows = 0;               // and whose load was given up
  std::uint64_t lost = 0;                       // before delivery: removed by retention, or given up
  std::vector<delivery::SourceRange> given_up;  // damaged in the log, and their loss was accepted
  std::uint64_t rows = 0;                       // counted in the files
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t earlier = 0;  // objects of an earlier delivery stream of this name, of other records
  std::vector<VerifyProblem> problems;

  bool ok() const { return problems.empty(); }
};

/// Objects read so far, and how many bytes there are to read in all.
struct VerifyProgress {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_total = 0;
};

/// Where the buckets are, also as URIs (broker/delivery/bucket_root.h); empty: where the ledger says.
struct VerifyPlaces {
  std::string directory;                            // of the bucket in force
  std::string backup_directory = {};                // of that of the backup
  std::map<std::string, std::string> buckets = {};  // by name: also of those that were in force before
};

/// Gives the dead letters of one range that their stream still has, in order, and returns how many it has no longer.
using DeadLetterVisitor = std::function<void(Offset, std::string_view)>;
using DeadLetterReader = std::function<Result<std::uint64_t>(const delivery::DeadLetters&, const DeadLetterVisitor&)>;

/// `ledger` is what DeliveryAction::kLedger tells, all pages; `stores` is how remote stores are reached. An error
/// is something that could not be looked at; what was found wrong is in the report. `progress` is called before each
/// delivery. `dead_letters` reads them from the broker; without it they are counted by the ledger alone.
Result<VerifyReport> VerifyDelivery(const delivery::LedgerDocument& ledger, const VerifyPlaces& places,
                                    const std::function<void(const VerifyProgress&)>& progress = {},
                                    const delivery::StoreSettings& stores = {},
                                    const DeadLetterReader& dead_letters = {});

/// Asks for all pages of a ledger; `page` gives the JSON of the one that begins at its argument.
Result<delivery::LedgerDocument> CollectLedger(const std::function<Result<std::string>(const std::string&)>& page);

/// For people: what was proven, or each problem with its exact ranges. No line break at the end.
std::string VerifyReportText(const VerifyReport& report);
/// The same as one JSON object.
std::string VerifyReportJson(const VerifyReport& report);

}  // namespace sluice::tools

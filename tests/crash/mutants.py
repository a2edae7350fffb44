#!/usr/bin/env python3
"""Breaks the code on purpose, one promise at a time, and demands that a test fails each time.

    tests/crash/mutants.py [--only M2,M5] [--scratch DIR] [--jobs 2]
    tests/crash/mutants.py --check

The working tree's files are copied to the scratch directory and built there (debug); each mutant changes the copy, builds the tests
that must notice, runs them and puts the copy back. A mutant whose text is not in the source any more is an error: the list is kept
with the code, and --check, which is part of ctest, looks for nothing else. The rest is not: an hour without ccache, some minutes with
it. Exit code 0: every mutant was found.
"""
import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
TEST_TIMEOUT_S = 300

CRASH = ("tests/storage/storage_crash_test", "LogStore*,LogWriter*")
LOG = ("tests/storage/storage_log_test", "*")
SERVICES = ("tests/broker/broker_services_test", "*")
DOOR = ("tests/broker/broker_native_door_test", "*")
DELIVERY = ("tests/delivery/delivery_stream_test", "*")
AGGREGATES = ("tests/delivery/delivery_aggregates_test", "*")
PROCESSING = ("tests/delivery/delivery_processing_test", "*")
PARTITIONING = ("tests/delivery/delivery_partitioning_test", "*")
BACKUP = ("tests/delivery/delivery_backup_test", "*")
REPLAY = ("tests/delivery/delivery_replay_test", "*")
REDSHIFT = ("tests/delivery/delivery_redshift_test", "*")
DEAD_LETTERS = ("tests/delivery/delivery_dead_letter_test", "*")
LAMBDA = ("tests/delivery/delivery_lambda_test", "*")
DELIVERY_CONFIG = ("tests/delivery/delivery_config_test", "*")
CONVERT = ("tests/delivery/delivery_convert_test", "*ObjectWriter*")
MANAGER = ("tests/delivery/delivery_manager_test", "*")
RESHARD = ("tests/broker/broker_reshard_test", "*")
OBJECTS = ("tests/delivery/delivery_object_store_test", "*")
FIREHOSE = ("tests/broker/firehose/broker_firehose_test", "*")
KINESIS = ("tests/broker/kinesis/broker_kinesis_test", "*")
GROUPS = ("tests/broker/groups/broker_groups_test", "*")
CATALOG = ("tests/broker/broker_catalog_test", "*")
ENCRYPTION = ("tests/broker/broker_encryption_test", "*")
PROTOCOL = ("tests/protocol/protocol_test", "*")
AGENT = ("tests/tools/tools_agent_test", "*")
RESUMABLE = ("tests/client/client_test", "ResumableProducer*")


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    what: str
    file: str
    edits: tuple  # (old, new) each; old stands once in the file
    tests: tuple  # (program, Catch2 filter) each; one must fail


def mutant(name, what, file, *edits, tests):
    return Mutant(name, what, file, edits, tests)


SYNC_GROUP = "  if (Status status = journal_->Sync(group); !status.ok()) {\n"
BAD_GROUP = "HandleBadGroup(Window& window, Cursor& cursor, const Visitor& visitor) {\n"

MUTANTS = [
    mutant("M1", "acknowledges whatever the flush says", "storage/committer.cc",
           (SYNC_GROUP, "  (void)journal_->Sync(group);\n  if (Status status; !status.ok()) {\n"), tests=(CRASH,)),
    mutant("M2", "does not flush the journal", "storage/journal.cc",
           ("  if (Status status = file_.file->Sync(); !status.ok()) return status;\n", ""), tests=(LOG, CRASH)),
    mutant("M3a", "does not flush the directory of a new journal file", "storage/journal_files.cc",
           ("  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));\n  return Slot",
            "  return Slot"), tests=(LOG, CRASH)),
    mutant("M3b", "does not flush the directory of a new checkpoint", "storage/checkpoint.cc",
           ("  return env_.SyncDir(dir_);\n", "  return {};\n"), tests=(LOG, CRASH)),
    mutant("M3c", "does not flush the names of segments", "storage/segment_store.cc",
           ("  const Status status = env_.SyncDir(dir_);\n", "  const Status status;\n"), tests=(LOG, CRASH)),
    mutant("M3d", "does not flush the directory of a lake object", "broker/delivery/local_object_store.cc",
           ("    return LakeProblem(env_.SyncDir(parent), bucket_dir);\n", "    return Status();\n"), tests=(OBJECTS,)),
    mutant("M4", "tries a failed flush again", "storage/committer.cc",
           (SYNC_GROUP, "  if (Status status = journal_->Sync(group).ok() ? Status() : journal_->Sync(group); !status.ok()) {\n"),
           tests=(LOG, CRASH)),
    mutant("M5a", "reads the journal through the cache after a crash", "storage/journal_files.cc",
           ("    if (Status status = (*file)->DropCache(); !status.ok()) return Error(std::move(status));\n", ""), tests=(LOG, CRASH)),
    mutant("M5b", "does not flush the journal before it reads it", "storage/journal_files.cc",
           ("    if (Status status = (*file)->Sync(); !status.ok()) return Error(std::move(status));\n    if (Status status = (*file)->DropCache()",
            "    if (Status status = (*file)->DropCache()"), tests=(LOG, CRASH)),
    mutant("M6a", "cuts the journal at the first bad group", "storage/journal_reader.cc",
           (BAD_GROUP, BAD_GROUP + "  if (cursor.group > 0) return Outcome::kTorn;\n"), tests=(LOG, CRASH)),
    mutant("M6b", "cuts the journal at the first bad frame", "storage/journal_reader.cc",
           ("  if (!damage.lost.empty()) {\n", "  if (!damage.lost.empty()) return Outcome::kTorn;\n  if (!damage.lost.empty()) {\n"),
           tests=(LOG, CRASH)),
    mutant("M7", "moves the checkpoint though the upload failed", "broker/delivery/data_output.cc",
           ("    if (!status.ok()) return status;\n  }\n  return parts_.errors.Finish(entry);\n",
            "    (void)status;\n  }\n  return parts_.errors.Finish(entry);\n"), tests=(DELIVERY,)),
    mutant("M8a", "decides again after a restart", "broker/delivery/delivery_stream.cc",
           ("  state_ = std::move(*state);\n", "  state_ = std::move(*state);\n  state_.intent.reset();\n"), tests=(DELIVERY,)),
    mutant("M8b", "names an object by the clock", "broker/delivery/delivery_stream.cc",
           ("  Intent intent = *state_.intent;\n  Schema schema;\n",
            "  Intent intent = *state_.intent;\n  intent.data_key += std::to_string(parts_.env.clock().WallMs());\n"
            "  Schema schema;\n"), tests=(DELIVERY,)),
    mutant("M9a", "forgets the producers of the checkpoint", "storage/shard_log_impl.cc",
           ("  producers_.Restore(record.producers);\n", ""), tests=(LOG, CRASH)),
    mutant("M9b", "does not learn the producers from the journal", "storage/shard_log_impl.cc",
           ("  if (batch.idempotent()) producers_.Add(batch, frame.base_offset(), frame.header().append_time_ms);\n", "  (void)batch;\n"),
           tests=(LOG, CRASH)),
    mutant("M10", "takes the wall clock for the append time as it is", "storage/shard_log_impl.cc",
           ("  last_assigned_ms_ = std::max(last_assigned_ms_, now_ms);\n", "  last_assigned_ms_ = now_ms;\n"), tests=(LOG, CRASH)),
    mutant("M11", "shows readers what is only written", "storage/log_writer_impl.cc",
           ("    if (state != State::kDurable && state != State::kFailed) break;\n", "    if (state == State::kQueued) break;\n"),
           ("  const bool durable = batch.state.load(std::memory_order_acquire) == State::kDurable;\n  if (durable && batch",
            "  const bool durable = batch.state.load(std::memory_order_acquire) != State::kFailed;\n  if (durable && batch"), tests=(LOG, CRASH)),
    mutant("M12", "checkpoints segments that are not flushed", "storage/write_behind.cc",
           ("  if (status.ok() && written.ok()) status = SyncSegments();\n", ""), tests=(LOG, CRASH)),
    mutant("M13", "uses journal files again before the checkpoint is on the disk", "storage/write_behind.cc",
           ("  if (status.ok()) status = parts_.checkpoints.Save(checkpoint);\n",
            "  parts_.journal_files.Release(checkpoint.replay.file_sequence);\n  if (status.ok()) status = parts_.checkpoints.Save(checkpoint);\n"),
           tests=(LOG, CRASH)),
    mutant("M14", "gives out frames of a segment without their checksum", "storage/segment.cc",
           ("  Result<protocol::FrameHeader> header = protocol::VerifyFrame(bytes);\n",
            "  Result<protocol::FrameHeader> header = protocol::ParseFrameHeader(bytes);\n"), tests=(LOG, CRASH)),
    mutant("M85", "takes a frame whose batch does not fit its own checksum", "protocol/frame.cc",
           ("  if (!status.ok()) return Error(status.WithContext(NameOf(*header)));\n", "  (void)status;\n"), tests=(PROTOCOL, LOG)),
    mutant("M15", "takes batches that no reader can take apart", "broker/batch_limits.cc",
           ("  if (!status.ok()) return Error(std::move(status));\n", "  (void)status;\n"), tests=(SERVICES,)),
    mutant("M16", "takes unknown streams for deleted ones", "broker/shards.cc",
           ("    if (id.stream < *next) continue;\n", "    if (id.stream.value > 0) continue;\n"), tests=(SERVICES,)),
    mutant("M17", "receives bodies without a bound over all connections", "broker/api/native/body_budget.cc",
           ("  if (waiting_.empty() && bytes_ + bytes <= bytes_max_) {\n", "  if (waiting_.empty()) {\n"), tests=(DOOR,)),
    mutant("M18", "gives a stream's number again", "broker/stream_catalog.cc",
           ("std::to_string(std::int64_t{id->value} + 1)", "std::to_string(std::int64_t{id->value})"), tests=(CATALOG,)),
    mutant("M19", "lets a producer that it does not know begin anywhere", "storage/producer_table.cc",
           ("    if (header.base_sequence == 0) return std::nullopt;\n    return Error(Code::kFailedPrecondition,\n                 fmt::format(\"producer {} is not",
            "    if (header.base_sequence >= 0) return std::nullopt;\n    return Error(Code::kFailedPrecondition,\n                 fmt::format(\"producer {} is not"),
           tests=(LOG,)),
    mutant("M20", "asks to write segments that it only reads", "storage/segment.cc",
           ("mode == OpenMode::kRead ? store_.env().Open(path(), mode) : store_.OpenToWrite(path())",
            "store_.OpenToWrite(path())"), tests=(LOG,)),
    mutant("M21", "answers a put through an AWS API before it is durable", "broker/api/aws/put.cc",
           (".ack = storage::AckMode::kDurable", ".ack = storage::AckMode::kNone"), tests=(KINESIS,)),
    mutant("M22", "takes shard iterators that it did not make", "broker/api/kinesis/token_seal.cc",
           ("bytes->data() + size, kSealBytes) != 0)", "bytes->data() + size, kSealBytes) < 0)"), tests=(KINESIS,)),
    mutant("M23", "goes back to the frame's first record in the middle of a page", "broker/api/kinesis/record_page.cc",
           ("      if (offset < page_.first) continue;\n", ""), tests=(KINESIS,)),
    mutant("M30", "lets a shard take appends while it closes", "broker/shards.cc",
           ("  (*shard)->closing = true;\n", ""), tests=(SERVICES, RESHARD)),
    mutant("M31", "lets a closed shard take appends", "broker/shards.cc",
           ("  if (closed) shard.log->Seal();\n", ""), tests=(SERVICES, RESHARD)),
    mutant("M32", "creates children in the second of their parents", "broker/reshard_plan.cc",
           ("created_ms / 1'000 + 1) * 1'000", "created_ms / 1'000) * 1'000"), tests=(SERVICES, RESHARD)),
    mutant("M33", "forgets closed shards that have records", "broker/retention.cc",
           ("    if (log->oldest() < log->durable_end() || holds", "    if (holds"), tests=(SERVICES,)),
    mutant("M34", "delivers children before their parents", "broker/delivery/delivery_stream.cc",
           ("    if (!ParentsDelivered(shard)) {\n", "    if (shard.parents.size() > 7) {\n"), tests=(MANAGER,)),
    mutant("M35", "tells a client that its record met a closed shard", "broker/api/aws/put.cc",
           ("  if (closed) put->to_send", "  if (closed && batch.entries.empty()) put->to_send"), tests=(KINESIS,)),
    mutant("M40", "lets in whom a stream's policy denies", "broker/api/kinesis/stream_access.cc",
           ("(verdict == Verdict::kSilent && wanted", "(verdict != Verdict::kAllow && wanted"), tests=(KINESIS,)),
    mutant("M41", "appends records that their shard is not to take", "broker/api/aws/put.cc",
           ("    if (!result.throttled) put->to_send", "    put->to_send"), tests=(KINESIS,)),
    mutant("M42", "takes the records of a Firehose request apart", "broker/api/firehose/put.cc",
           (".hash = anywhere,", ".hash = {.high = anywhere.high * entries.size(), .low = 0},"), tests=(FIREHOSE,)),
    mutant("M43", "counts tags as another version of a delivery stream", "broker/delivery/delivery_stream.cc",
           ("  config.tags.assign(tags.begin(), tags.end());\n  DeliveryIdentity identity = state_.identity;\n",
            "  config.tags.assign(tags.begin(), tags.end());\n  DeliveryIdentity identity = state_.identity;\n  ++identity.version;\n"),
           tests=(MANAGER, FIREHOSE)),
    mutant("M44", "loses an aggregate that holds nothing", "broker/delivery/aggregate_opener.cc",
           ("  if (!inside || inside->empty()) return Add", "  if (!inside) return Add"), tests=(AGGREGATES,)),
    mutant("M45", "tells the error records of one aggregate not apart", "broker/delivery/error_record.cc",
           ("  if (record.sub_sequence) json.Key", "  if (record.sub_sequence > 1'000'000u) json.Key"), tests=(AGGREGATES,)),
    mutant("M46", "opens aggregates in a delivery that an older version decided", "broker/delivery/delivery_config.cc",
           ("origin == Origin::kUser && !config.direct_put", "(origin == Origin::kUser || true) && !config.direct_put"),
           tests=(DELIVERY_CONFIG,)),
    mutant("M47", "tells the parts of a part not apart", "broker/delivery/processing/processor.cc",
           ("(*whole.next_part)++;", "*whole.next_part;"), tests=(PROCESSING,)),
    mutant("M48", "does not count what a processor has filtered", "broker/delivery/processing/record_pipeline.cc",
           ("  filtered_ += batch_.filtered;\n", ""), tests=(PROCESSING,)),
    mutant("M49", "forgets what is left of a batch", "broker/delivery/processing/record_pipeline.cc",
           ("return batch_.records.empty() ? Status() : ProcessBatch();", "return Status();"), tests=(PROCESSING,)),
    mutant("M70", "writes objects before anybody knows their keys", "broker/delivery/staged_output.cc",
           ("  return staging_.change_intent([&](Intent& intent) {\n", "  return !keys.empty() ? Status() : staging_.change_intent([&](Intent& intent) {\n"),
           tests=(PARTITIONING,)),
    mutant("M71", "does not keep what a Lambda has answered", "broker/delivery/object_builder.cc",
           ("output.Stage(!IsRepeatable(terms_.config.processors), counts)", "output.Stage(false, counts)"), tests=(LAMBDA,)),
    mutant("M72", "moves the checkpoint though one of many uploads failed", "broker/delivery/concurrent_puts.cc",
           ("    if (failed_.ok()) failed_ = std::move(status);\n", "    (void)status;\n"), tests=(PARTITIONING,)),
    mutant("M73", "puts two partition values into one", "broker/delivery/staged_output.cc",
           ("    name_ += key->value;\n", ""), tests=(PARTITIONING,)),
    mutant("M74", "does not back up again what was processed before a crash", "broker/delivery/object_builder.cc",
           ("    status = BackUp(parts.intent, backup);\n", ""), tests=(BACKUP,)),
    mutant("M75", "gives two objects of a backup one key", "broker/delivery/delivery_terms.cc",
           ('HashedUuid(fmt::format("{}|{}", identity, part))', "HashedUuid(identity)"), tests=(BACKUP,)),
    mutant("M76", "replays what was replayed", "broker/delivery/error_source.cc",
           ("Take(found->second, source)", "Take({}, source)"), tests=(REPLAY,)),
    mutant("M77", "opens parts again when they are replayed", "broker/delivery/replay_reader.cc",
           ("config_, host_, sink_, entry)", "config_, host_, sink_, PipelineEntry::kLog)"), tests=(REPLAY,)),
    mutant("M78", "counts a replayed record a second time", "broker/delivery/delivery_state.cc",
           ("totals.records += entry.records - replayed;", "totals.records += entry.records;"), tests=(REPLAY,)),
    mutant("M90", "does not look for what is loaded", "broker/delivery/redshift/load_attempt.cc",
           ("step.kind == Kind::kLook && session_.rows() > 0", "false"), tests=(REDSHIFT,)),
    mutant("M91", "loads without waiting for the attempt before", "broker/delivery/redshift/load_attempt.cc",
           ("""fmt::format("LOCK TABLE {}", loads)""", """fmt::format("SET x TO {}", loads)"""), tests=(REDSHIFT,)),
    mutant("M92", "does not keep that a load was given up", "broker/delivery/redshift/redshift_load.cc",
           ("const bool given_up = intent_.refused.has_value();", "const bool given_up = false;"), tests=(REDSHIFT,)),
    mutant("M82", "appends dead letters without a look at those that are there", "broker/delivery/dead_letter_output.cc",
           ("  if (Status status = FindWritten(); !status.ok()) return status;\n", ""), tests=(DEAD_LETTERS,)),
    mutant("M83", "appends dead letters before it is stored where they begin", "broker/delivery/dead_letter_output.cc",
           ("  return staging_.change_intent([this](Intent& intent) { intent.dead_letters = marks_; });\n", "  return Status();\n"),
           tests=(DEAD_LETTERS,)),
    mutant("M84", "lets retention have dead letters of a delivery that is not done", "broker/delivery/delivery_intent.cc",
           ("    for (const DeadLetterMark& mark : intent->dead_letters) need(mark.shard, mark.from);\n", ""), tests=(DEAD_LETTERS,)),
    mutant("M86", "lets retention have dead letters that are being replayed", "broker/delivery/delivery_intent.cc",
           ("need(*replay.shard, Offset(replay.lines.front().first));", "need(*replay.shard, kMaxOffset);"), tests=(REPLAY,)),
    mutant("M80", "does not say in an ORC object which records it holds", "broker/delivery/orc_object_writer.cc",
           ("    const Status status = AddOrcUserMetadata(",
            "    const Status status = metadata.size() > 1 ? Status() : AddOrcUserMetadata("),
           tests=(CONVERT,)),
    mutant("M81", "cuts the rows of an object where the reads of the log end", "broker/delivery/columnar_object_writer.cc",
           ("  outcome.overflow_fields = converter_->overflow_fields() - overflow_before;\n",
            "  outcome.overflow_fields = converter_->overflow_fields() - overflow_before;\n"
            "  if (Status status = records.size() > 100 ? FlushBatch() : Status(); !status.ok()) return Error(std::move(status));\n"),
           tests=(CONVERT,)),
    mutant("M50", "takes checkpoints of leases that are over", "broker/groups/group_state.cc",
           ("  if (shard.progress.epoch != checkpoint.epoch || checkpoint.epoch == 0) return false;\n", ""), tests=(GROUPS,)),
    mutant("M51", "leases a shard in the epoch of its last lease", "broker/groups/group_state.cc",
           ("  ++progress.epoch;\n", "  if (progress.epoch == 0) ++progress.epoch;\n"), tests=(GROUPS,)),
    mutant("M52", "gives a group children whose parents are not finished", "broker/groups/group_state.cc",
           ("    return found == shards_.end() || found->second.finished();\n", "    return found == shards_.end() || found->second.facts.closed;\n"), tests=(GROUPS,)),
    mutant("M53", "answers checkpoints that are not stored", "broker/groups/group_service.cc",
           ("  if (status.ok()) return {};\n  group.state.reset();\n", "  if (true) return {};\n  group.state.reset();\n"), tests=(GROUPS,)),
    mutant("M54", "passes over what retention removed without counting", "broker/groups/group_state.cc",
           ("  progress.missed += shard.facts.oldest - progress.next;\n", ""), tests=(GROUPS,)),
    mutant("M60", "stores the records of an encrypted stream as they come", "broker/append_service.cc",
           ("  if ((*shard)->keys->sealing()) {\n", "  if (false) {\n"), tests=(ENCRYPTION,)),
    mutant("M61", "uses a nonce twice", "broker/encryption/stream_keys.cc",
           ("used_.fetch_add(1, ", "used_.fetch_add(0, "), tests=(ENCRYPTION,)),
    mutant("M62", "does not bind a sealed batch to its shard", "protocol/sealed_batch.cc",
           ("  StoreBigEndian(bound.data() + 4, shard.index.value);\n", "  StoreBigEndian(bound.data() + 4, std::uint32_t{0});\n"),
           tests=(PROTOCOL,)),
    mutant("M63", "gives out records whose tag does not fit", "protocol/sealed_batch.cc",
           ("  if (!opened) {\n", "  if (!opened && sealed.empty()) {\n"), tests=(PROTOCOL,)),
    mutant("M64", "lets a producer send sealed batches", "protocol/batch.cc",
           ("  if (header.sealed()) return Sealed();\n", ""), tests=(PROTOCOL, ENCRYPTION)),
    mutant("M65", "reads of a copy what was read of the original meanwhile", "tools/agent/tailer.cc",
           ("    if (file.position().offset != before) MoveCopies(file);\n", "    static_cast<void>(before);\n"), tests=(AGENT,)),
    mutant("M66", "takes a file that was written anew for the same", "tools/agent/tracked_file.cc",
           ("  return fits(0, position.head) && fits(position.offset - position.tail.bytes, position.tail);\n", "  return fits(0, {});\n"),
           tests=(AGENT,)),
    mutant("M67", "prepares batches that nobody recognises", "client/resumable_producer.cc",
           ("    builder.SetProducer(identity.id, identity.epoch, sequence);\n", ""), tests=(RESUMABLE,)),
]


def run(command, cwd, timeout=None):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)


def copy_tree(scratch):
    """The files that git knows, as they are now; those that are the same stay untouched, so that nothing is built twice."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=TREE, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = TREE / name, scratch / name
        if not source.exists() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    arrow = TREE / "build" / "_arrow"
    if arrow.exists() and not (scratch / "build" / "_arrow").exists():
        (scratch / "build").mkdir(exist_ok=True)
        (scratch / "build" / "_arrow").symlink_to(arrow)


def build(scratch, tests, jobs):
    targets = sorted({pathlib.Path(program).name for program, _ in tests})
    result = run(["ninja", "-j", str(jobs), "-C", "build/debug", *targets], scratch)
    return None if result.returncode == 0 else result.stdout[-3000:]


def failing_test(scratch, tests):
    """The first test that fails and how, or None."""
    for program, only in tests:
        try:
            result = run([scratch / "build" / "debug" / program, only, "--abort"], scratch, TEST_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return f"{pathlib.Path(program).name}: did not end"
        if result.returncode != 0:
            lines = result.stdout.splitlines()
            dashes = [i for i, line in enumerate(lines) if line.startswith("-----")]
            name = lines[dashes[0] + 1] if dashes and dashes[0] + 1 < len(lines) else f"code {result.returncode}"
            return f"{pathlib.Path(program).name}: {name}"
    return None


def mutated(tree, each):
    """The file's text with the mutant in it."""
    text = (tree / each.file).read_text()
    for old, new in each.edits:
        if text.count(old) != 1:
            sys.exit(f"{each.name}: its text stands {text.count(old)} times in {each.file}; bring the list up to date")
        text = text.replace(old, new)
    return text


def try_mutant(scratch, each, jobs):
    original = (scratch / each.file).read_text()
    begun = time.monotonic()
    (scratch / each.file).write_text(mutated(scratch, each))
    try:
        broken = build(scratch, each.tests, jobs)
        if broken:
            sys.exit(f"{each.name} does not build:\n{broken}")
        found = failing_test(scratch, each.tests)
    finally:
        (scratch / each.file).write_text(original)
    print(f"{'found   ' if found else 'SURVIVED'} {each.name:5} {each.what}  [{time.monotonic() - begun:.0f} s] {found or ''}", flush=True)
    return found is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="names of mutants, with commas")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "sluice-mutants")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="only look whether each mutant's text is in the source")
    arguments = parser.parse_args()
    if arguments.check:
        print(f"{sum(mutated(TREE, each) is not None for each in MUTANTS)} mutants fit the source")
        return 0
    scratch = arguments.scratch.resolve()
    chosen = [each for each in MUTANTS if not arguments.only or each.name in arguments.only.split(",")]
    copy_tree(scratch)
    configured = run(["cmake", "--preset", "debug"], scratch)
    if configured.returncode != 0:
        sys.exit(configured.stdout)
    tests = tuple(dict.fromkeys(test for each in chosen for test in each.tests))
    if (broken := build(scratch, tests, arguments.jobs)) or (broken := failing_test(scratch, tests)):
        sys.exit(f"the tree must be sound before it is broken:\n{broken}")
    survived = [each.name for each in chosen if not try_mutant(scratch, each, arguments.jobs)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} mutants found" + (f"; survived: {', '.join(survived)}" if survived else ""))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())

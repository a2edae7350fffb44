// The file system in memory: a cached and a durable copy of everything, and the differences between the two.
#include "storage/env/memory_env.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kDiskBytes = 1ull << 40;

std::string Normal(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::size_t Index(MemoryEnv::Call kind) { return static_cast<std::size_t>(kind); }

bool Changes(MemoryEnv::Call kind) {
  using Call = MemoryEnv::Call;
  return kind != Call::kOpen && kind != Call::kRead && kind != Call::kList && kind != Call::kLock;
}

Status ReadOnly(const std::string& path) { return Status(Code::kIoError, path + ": the file system is read-only"); }

}  // namespace

struct MemoryEnv::NameChange {
  std::string from;  // loses its entry; empty for a creation
  std::string to;    // gets `node`; empty for a removal
  NodePtr node;

  bool Touches(const std::string& dir) const {
    return (!from.empty() && ParentOf(from) == dir) || (!to.empty() && ParentOf(to) == dir);
  }
};

class MemoryEnv::MemoryFile final : public File {
 public:
  MemoryFile(MemoryEnv& env, NodePtr node, std::string path, bool writable)
      : env_(env), node_(std::move(node)), path_(std::move(path)), boot_(env.boots_), writable_(writable) {}

  Result<std::size_t> Read(std::uint64_t offset, std::span<char> out) override {
    const std::scoped_lock lock(env_.mutex_);
    if (Status status = Enter(Call::kRead); !status.ok()) return Error(std::move(status));
    const auto bad = env_.unreadable_.find(path_);
    if (bad != env_.unreadable_.end() && bad->second >= offset && bad->second - offset < out.size()) {
      return Error(Code::kIoError, "cannot read " + path_ + ": a page is bad");
    }
    return node_->cached().Read(offset, out);
  }

  Status Write(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    const std::scoped_lock lock(env_.mutex_);
    if (boot_ != env_.boots_) return Dead();
    SLUICE_CHECK(writable_);
    return env_.WriteLocked(*node_, path_, offset, pieces);
  }

  // With all the zeros that may follow.
  Status WriteBulk(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    static constexpr std::array<char, kPageBytes> kZeros{};
    std::vector<std::string_view> padded(pieces.begin(), pieces.end());
    std::uint64_t end = offset;
    for (const std::string_view piece : pieces) end += piece.size();
    if (end > offset) padded.emplace_back(kZeros.data(), (kPageBytes - end % kPageBytes) % kPageBytes);
    return Write(offset, padded);
  }

  Status Sync() override {
    const std::scoped_lock lock(env_.mutex_);
    if (boot_ != env_.boots_) return Dead();
    return env_.SyncLocked(*node_, path_);
  }

  Result<std::uint64_t> Size() override {
    const std::scoped_lock lock(env_.mutex_);
    if (Status status = Enter(Call::kRead); !status.ok()) return Error(std::move(status));
    return node_->cached().size();
  }

  Status Truncate(std::uint64_t size) override {
    const std::scoped_lock lock(env_.mutex_);
    if (Status status = Enter(Call::kTruncate); !status.ok()) return status;
    SLUICE_CHECK(writable_);
    node_->Resize(size);
    return {};
  }

  Status DropCache() override {
    const std::scoped_lock lock(env_.mutex_);
    if (Status status = Enter(Call::kRead); !status.ok()) return status;
    node_->DropCache();
    return {};
  }

  void StartWriteback(std::uint64_t offset, std::uint64_t bytes) override {
    const std::scoped_lock lock(env_.mutex_);
    SLUICE_CHECK(offset + bytes >= offset);
    // Promises nothing, so the strictest machine does nothing.
  }

 private:
  Status Enter(Call kind) { return boot_ == env_.boots_ ? env_.Enter(kind, path_) : Dead(); }
  Status Dead() const { return Status(Code::kIoError, path_ + " was opened before the machine lost its power"); }

  MemoryEnv& env_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t boot_;
  const bool writable_;
};

class MemoryEnv::MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryEnv& env, std::string path) : env_(env), path_(std::move(path)), boot_(env.boots_) {}
  ~MemoryLock() override {
    const std::scoped_lock lock(env_.mutex_);
    if (boot_ == env_.boots_) env_.locked_.erase(path_);
  }

 private:
  MemoryEnv& env_;
  const std::string path_;
  const std::uint64_t boot_;
};

MemoryEnv::MemoryEnv(std::uint64_t seed) : random_(seed), chaos_(~seed), dirs_{"/", "."} {}
MemoryEnv::~MemoryEnv() = default;

Status MemoryEnv::Enter(Call kind, const std::string& path) {
  SLUICE_CHECK(kind != Call::kAny);
  for (const Call each : {kind, Call::kAny}) {
    ++calls_[Index(each)];
    if (power_off_in_[Index(each)] > 0 && --power_off_in_[Index(each)] == 0) powered_ = false;
  }
  if (!powered_) return Status(Code::kIoError, path + ": the machine has no power");
  if (read_only_ && Changes(kind)) return ReadOnly(path);
  for (const Call each : {kind, Call::kAny}) {
    if (Fault& fault = faults_[Index(each)]; TakeFault(fault)) return Status(fault.code, path + ": failed on demand");
  }
  return {};
}

bool MemoryEnv::TakeFault(Fault& fault) {
  const bool fails = fault.every || (fault.calls_left > 0 && --fault.calls_left == 0);
  if (fails) ++failures_;
  return fails;
}

Status MemoryEnv::CheckParent(const std::string& path) const {
  if (dirs_.contains(ParentOf(path))) return {};
  return Status(Code::kNotFound, "cannot open " + path + ": its directory does not exist");
}

Result<std::unique_ptr<File>> MemoryEnv::Open(const std::string& path, OpenMode mode, Access /*access*/) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kOpen, path); !status.ok()) return Error(std::move(status));
  if (read_only_ && mode != OpenMode::kRead) return Error(ReadOnly(path));
  if (Status status = CheckParent(path); !status.ok()) return Error(std::move(status));
  const auto found = names_.find(path);
  const bool exists = found != names_.end();
  if (exists && mode == OpenMode::kCreate) return Error(Code::kAlreadyExists, "cannot create " + path + ": it exists");
  if (dirs_.contains(path)) return Error(Code::kIoError, "cannot open " + path + ": it is a directory");
  if (exists) return std::make_unique<MemoryFile>(*this, found->second, path, mode != OpenMode::kRead);
  if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) {
    return Error(Code::kNotFound, "cannot open " + path + ": no such file");
  }
  if (disk_full_) return Error(Code::kResourceExhausted, "cannot create " + path + ": the disk is full");
  auto node = std::make_shared<CachedContent>();
  names_[path] = node;
  changes_.push_back({.from = {}, .to = path, .node = node});
  return std::make_unique<MemoryFile>(*this, std::move(node), path, true);
}

Result<std::vector<std::string>> MemoryEnv::List(const std::string& dir) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kList, dir); !status.ok()) return Error(std::move(status));
  const std::string parent = Normal(dir);
  if (!dirs_.contains(parent)) return Error(Code::kNotFound, "cannot list " + dir + ": no such directory");
  std::vector<std::string> names;
  const auto add = [&](const std::string& path) {
    if (path != parent && path != "." && ParentOf(path) == parent) names.push_back(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, node] : names_) add(path);
  for (const std::string& path : dirs_) add(path);
  std::ranges::sort(names);
  return names;
}

Status MemoryEnv::MakeDirs(const std::string& dir, Access /*access*/) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kMakeDirs, dir); !status.ok()) return status;
  for (std::string path = Normal(dir); !dirs_.contains(path); path = ParentOf(path)) {
    if (names_.contains(path)) return Status(Code::kFailedPrecondition, path + " is not a directory");
    if (disk_full_) return Status(Code::kResourceExhausted, "cannot make directory " + path + ": the disk is full");
    dirs_.insert(path);
  }
  return {};
}

Status MemoryEnv::Remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kRemove, path); !status.ok()) return status;
  const auto found = names_.find(path);
  if (found == names_.end()) return Status(Code::kNotFound, "cannot remove " + path + ": no such file");
  changes_.push_back({.from = path, .to = {}, .node = found->second});
  names_.erase(found);
  return {};
}

Status MemoryEnv::Rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kRename, from); !status.ok()) return status;
  return RenameLocked(from, to);
}

Status MemoryEnv::RenameToNew(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kRename, from); !status.ok()) return status;
  if (names_.contains(to) || dirs_.contains(Normal(to))) {
    return Status(Code::kAlreadyExists, "cannot rename " + from + ": there is something at " + to);
  }
  return RenameLocked(from, to);
}

Status MemoryEnv::RenameLocked(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return Status(Code::kNotFound, "cannot rename " + from + ": no such file");
  if (Status status = CheckParent(to); !status.ok()) return status;
  if (from == to) return {};
  const NodePtr node = found->second;
  names_.erase(found);
  names_[to] = node;
  changes_.push_back({.from = from, .to = to, .node = node});
  return {};
}

Status MemoryEnv::SyncDir(const std::string& dir) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kSyncDir, dir); !status.ok()) return status;
  const std::string parent = Normal(dir);
  if (!dirs_.contains(parent)) return Status(Code::kIoError, "cannot sync " + dir + ": no such directory");
  std::vector<NameChange> others;
  for (NameChange& change : changes_) {
    if (change.Touches(parent)) {
      Apply(change);
    } else {
      others.push_back(std::move(change));
    }
  }
  changes_ = std::move(others);
  return {};
}

Result<bool> MemoryEnv::Exists(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kRead, path); !status.ok()) return Error(std::move(status));
  return names_.contains(path) || dirs_.contains(Normal(path));
}

Result<std::uint64_t> MemoryEnv::FreeBytes(const std::string& dir) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kRead, dir); !status.ok()) return Error(std::move(status));
  if (!dirs_.contains(Normal(dir))) return Error(Code::kNotFound, "no such directory: " + dir);
  if (disk_full_) return 0;
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->cached().size();
  return kDiskBytes - std::min(used, kDiskBytes);
}

Result<std::unique_ptr<FileLock>> MemoryEnv::Lock(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (Status status = Enter(Call::kLock, path); !status.ok()) return Error(std::move(status));
  if (Status status = CheckParent(path); !status.ok()) return Error(std::move(status));
  if (!locked_.insert(path).second) {
    return Error(Code::kFailedPrecondition, path + " is held by another process: stop it or use another directory");
  }
  return std::make_unique<MemoryLock>(*this, path);
}

Status MemoryEnv::WriteLocked(CachedContent& node, const std::string& path, std::uint64_t offset,
                              std::span<const std::string_view> pieces) {
  std::uint64_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const bool was_powered = powered_;
  const Status failure = Enter(Call::kWrite, path);
  const std::uint64_t size = node.cached().size();
  const bool no_room = disk_full_ && offset + bytes > size;
  const bool fails = !failure.ok() || no_room;
  // What a failed write leaves behind is any part of its beginning; on a full disk only what fits in the file.
  std::uint64_t left = bytes;
  if (fails) left = was_powered && !read_only_ ? Below(bytes + 1) : 0;
  if (no_room) left = std::min(left, size - std::min(offset, size));
  for (std::string_view piece : pieces) {
    piece = piece.substr(0, left);
    node.Write(offset, piece);
    offset += piece.size();
    left -= piece.size();
  }
  if (!failure.ok() || !fails) return failure;
  return Status(Code::kResourceExhausted, "cannot write " + path + ": the disk is full");
}

Status MemoryEnv::SyncLocked(CachedContent& node, const std::string& path) {
  Status failure = Enter(Call::kSync, path);
  const auto is_this = [&](const NodePtr& each) { return each.get() == &node; };
  if (failure.ok() && std::erase_if(write_errors_, is_this) > 0) {
    failure = Status(Code::kIoError, path + ": an earlier write failed");
  }
  if (failure.ok()) {
    node.Persist();
  } else if (powered_ && !read_only_) {
    node.DropDirty();  // without power the crash decides about them
  }
  return failure;
}

void MemoryEnv::Apply(const NameChange& change) {
  if (!change.from.empty()) {
    const auto found = durable_names_.find(change.from);
    if (found != durable_names_.end() && found->second == change.node) durable_names_.erase(found);
  }
  if (!change.to.empty()) durable_names_[change.to] = change.node;
}

std::uint64_t MemoryEnv::Below(std::uint64_t bound) {
  SLUICE_CHECK(bound > 0);
  return chaos_.Next() % bound;
}

void MemoryEnv::FailCall(Call kind, int nth, Code code) {
  const std::scoped_lock lock(mutex_);
  SLUICE_CHECK(nth > 0);
  faults_[Index(kind)] = {.calls_left = nth, .every = false, .code = code};
}

void MemoryEnv::FailEvery(Call kind, Code code) {
  const std::scoped_lock lock(mutex_);
  faults_[Index(kind)] = {.calls_left = 0, .every = true, .code = code};
}

void MemoryEnv::ClearFailures() {
  const std::scoped_lock lock(mutex_);
  faults_.fill({});
  unreadable_.clear();
}

int MemoryEnv::failures() const {
  const std::scoped_lock lock(mutex_);
  return failures_;
}

void MemoryEnv::SetDiskFull(bool full) {
  const std::scoped_lock lock(mutex_);
  disk_full_ = full;
}

void MemoryEnv::SetUnreadable(const std::string& path, std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  unreadable_[path] = offset;
}

void MemoryEnv::LeaveWriteError(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  const NodePtr node = NodeAt(path);
  SLUICE_CHECK(node != nullptr);
  write_errors_.insert(node);
}

void MemoryEnv::SetReadOnly(bool read_only) {
  const std::scoped_lock lock(mutex_);
  read_only_ = read_only;
}

void MemoryEnv::PowerOff() {
  const std::scoped_lock lock(mutex_);
  powered_ = false;
}

void MemoryEnv::PowerOffAtCall(Call kind, int nth) {
  const std::scoped_lock lock(mutex_);
  SLUICE_CHECK(nth > 0);
  power_off_in_[Index(kind)] = nth;
}

bool MemoryEnv::powered() const {
  const std::scoped_lock lock(mutex_);
  return powered_;
}

void MemoryEnv::PowerOn(CrashOptions options) {
  const std::scoped_lock lock(mutex_);
  SLUICE_CHECK(!powered_);
  ++boots_;
  powered_ = true;
  power_off_in_.fill(0);
  locked_.clear();
  if (options.unsynced == Unsynced::kKept) return;

  const auto keep = [&] { return options.unsynced == Unsynced::kRandom && Below(2) == 0; };
  for (const NameChange& change : changes_) {
    if (keep()) Apply(change);
  }
  changes_.clear();
  names_ = durable_names_;
  std::set<CachedContent*> decided;  // a file can survive under two names
  for (const auto& [path, node] : names_) {
    if (decided.insert(node.get()).second) node->Crash(options.block_bytes, keep);
  }
}

void MemoryEnv::Crash(CrashOptions options) {
  PowerOff();
  PowerOn(options);
}

MemoryEnv::NodePtr MemoryEnv::NodeAt(const std::string& path) const {
  const auto found = names_.find(path);
  SLUICE_CHECK(found != names_.end());
  return found->second;
}

void MemoryEnv::FlipBit(const std::string& path, std::uint64_t bit) {
  const std::scoped_lock lock(mutex_);
  NodeAt(path)->FlipBit(bit);
}

void MemoryEnv::TruncateByHand(const std::string& path, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  SparseBytes bytes = NodeAt(path)->cached();
  bytes.Resize(std::min(size, bytes.size()));
  NodeAt(path)->Replace(std::move(bytes));
}

void MemoryEnv::WriteByHand(const std::string& path, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  auto node = std::make_shared<CachedContent>();
  node->Replace(SparseBytes(bytes));
  names_[path] = node;
  durable_names_[path] = std::move(node);
}

void MemoryEnv::RemoveByHand(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  names_.erase(path);
  durable_names_.erase(path);
}

std::string MemoryEnv::ReadByHand(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  return NodeAt(path)->cached().Text();
}

std::string MemoryEnv::ReadDurable(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = durable_names_.find(path);
  return found == durable_names_.end() ? std::string() : found->second->disk().Text();
}

std::uint64_t MemoryEnv::calls(Call kind) const {
  const std::scoped_lock lock(mutex_);
  return calls_[Index(kind)];
}

}  // namespace sluice::storage

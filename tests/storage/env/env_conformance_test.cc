// What every Env promises: the same test against the real file system and the one in memory.
#include <atomic>
#include <set>
#include <thread>

#include "storage/env/memory_env.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::storage {
namespace {

struct OnPosix {
  TempDir temp;
  std::unique_ptr<Env> env = NewPosixEnv();
  std::string root = temp.path();
};

struct InMemory {
  InMemory() { REQUIRE(env->MakeDirs(root).ok()); }
  std::unique_ptr<Env> env = std::make_unique<MemoryEnv>();
  std::string root = "/data";
};

std::string ReadAll(File& file) {
  std::string bytes(file.Size().value(), '\0');
  REQUIRE(file.Read(0, bytes).value() == bytes.size());
  return bytes;
}

#define ENV_TEST(name) TEMPLATE_TEST_CASE(name, "[storage][env]", OnPosix, InMemory)

ENV_TEST("Env Open: says what exists and what does not") {
  TestType on;
  const std::string path = on.root + "/a";
  CHECK(on.env->Open(path, OpenMode::kRead).error().code() == Code::kNotFound);
  CHECK(on.env->Open(path, OpenMode::kReadWrite).error().code() == Code::kNotFound);
  CHECK(on.env->Exists(path).value() == false);
  CHECK(on.env->Open(path, OpenMode::kCreate).has_value());
  CHECK(on.env->Exists(path).value() == true);
  CHECK(on.env->Open(path, OpenMode::kCreate).error().code() == Code::kAlreadyExists);
  CHECK(on.env->Open(path, OpenMode::kCreateOrOpen).has_value());
  CHECK(on.env->Open(on.root + "/b", OpenMode::kCreateOrOpen).has_value());
  CHECK(on.env->Open(on.root + "/none/a", OpenMode::kCreate).error().code() == Code::kNotFound);
  CHECK(on.env->Open(path, OpenMode::kCreate).error().message().find(path) != std::string::npos);
}

ENV_TEST("Env RealPath: an existing path without links is itself") {
  TestType on;
  CHECK(on.env->RealPath(on.root).value() == on.root);
}

ENV_TEST("File Write: pieces follow one another at the offset") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  const std::array<std::string_view, 5> pieces = {"one", "", "two", "", "three"};
  REQUIRE(file->Write(4, pieces).ok());
  CHECK(ReadAll(*file) == std::string("\0\0\0\0onetwothree", 15));
  REQUIRE(file->Write(5, "NE").ok());
  CHECK(ReadAll(*file) == std::string("\0\0\0\0oNEtwothree", 15));
  REQUIRE(file->Write(3, std::span<const std::string_view>()).ok());
  REQUIRE(file->Write(100, "").ok());
  CHECK(file->Size().value() == 15);
}

/// Bytes that differ from their neighbours in the file and from those of the calls before.
std::string NextBytes(std::size_t size, std::uint64_t& next_byte) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(++next_byte * 31 / 8);
  return bytes;
}

/// Writes in bulk and keeps `expected` up with it: what stands behind, up to the end of the page, may be zeros now.
void WriteBulkAndExpect(File& file, std::uint64_t offset, std::string_view bytes, std::string& expected) {
  constexpr std::size_t kPageBytes = 4096;
  std::vector<std::string_view> pieces;
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(pieces.back().size())) {
    pieces.push_back(rest.substr(0, 1 + pieces.size() % 3 * 5'000));
  }
  REQUIRE(file.WriteBulk(offset, pieces).ok());
  const std::size_t end = bytes.empty() ? 0 : offset + bytes.size();  // no bytes: nothing is written, nothing cleared
  const std::size_t page_end = (end + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (expected.size() < end) expected.resize(end, '\0');
  if (!bytes.empty()) expected.replace(offset, bytes.size(), bytes);
  const std::string found = ReadAll(file);
  if (found.size() > expected.size() && found.size() <= page_end) expected.resize(found.size(), '\0');
  for (std::size_t at = end; at < std::min(page_end, found.size()); ++at) {
    if (found[at] == '\0') expected[at] = '\0';
  }
  REQUIRE(found == expected);
}

ENV_TEST("File WriteBulk: any offset and any size, over what is there, gives what Write gives") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  std::string expected;
  std::uint64_t next_byte = 0;
  // Below and above the sizes of a page, of one direct write and of where bulk begins; at the end and over the middle.
  for (const std::uint64_t offset : {0u, 1u, 4'095u, 4'096u, 100'000u, 2'000'001u}) {
    for (const std::size_t size : {0u, 1u, 4'096u, 65'536u, 70'001u, 1'048'576u, 2'600'000u}) {
      WriteBulkAndExpect(*file, offset, NextBytes(size, next_byte), expected);
    }
  }
  REQUIRE(file->Sync().ok());
  REQUIRE(file->DropCache().ok());
  CHECK(ReadAll(*file) == expected);
}

ENV_TEST("File WriteBulk: goes on where it ended, also when another write came between") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  const auto other = on.env->Open(on.root + "/a", OpenMode::kReadWrite).value();
  std::string expected;
  std::uint64_t next_byte = 0;
  for (const std::size_t size : {70'001u, 100'000u, 65'536u, 1'048'577u, 3'000u, 90'000u, 81'920u}) {
    WriteBulkAndExpect(*file, expected.find_last_not_of('\0') + 1, NextBytes(size, next_byte) + "end", expected);
  }
  const std::size_t end = expected.find_last_not_of('\0') + 1;
  REQUIRE(file->Write(end - 10, "0123456789").ok());  // in the page where the last one ended
  expected.replace(end - 10, 10, "0123456789");
  WriteBulkAndExpect(*file, end, NextBytes(80'000, next_byte) + "end", expected);
  CHECK(ReadAll(*other) == expected);
}

ENV_TEST("File Read: gives the same right after a flush, when the disk is asked for less at a time") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  std::uint64_t next_byte = 0;
  const std::string bytes = NextBytes(1'500'001, next_byte);
  REQUIRE(file->Write(0, bytes).ok());
  for (const std::uint64_t offset : {0u, 1u, 32'768u, 700'000u, 1'500'000u, 1'500'001u, 1'600'000u}) {
    for (const std::size_t size : {0u, 1u, 32'768u, 65'537u, 600'000u, 1'600'000u}) {
      std::string read(size, '\0');
      REQUIRE(file->Sync().ok());
      read.resize(file->Read(offset, read).value());
      REQUIRE(read == std::string_view(bytes).substr(std::min<std::size_t>(offset, bytes.size()), size));
    }
  }
}

ENV_TEST("File ReadBulk: gives what Read gives, at the end of the file too") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  std::string bytes(300'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 / 8);
  REQUIRE(file->Write(0, bytes).ok());
  for (const std::uint64_t offset : {0u, 4'096u, 5'000u, 299'008u, 300'001u, 400'000u}) {
    for (const std::size_t size : {0u, 1u, 4'096u, 10'000u, 8'192u, 400'000u, 3u << 20}) {
      const BulkBytes got = file->ReadBulk(offset, size).value();
      REQUIRE(got.bytes == std::string_view(bytes).substr(std::min<std::size_t>(offset, bytes.size()), size));
    }
  }
}

ENV_TEST("File Write: more pieces than the system takes at once") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  std::vector<std::string> texts;
  std::string whole;
  for (int i = 0; i < 5000; ++i) whole += texts.emplace_back(std::to_string(i));
  const std::vector<std::string_view> pieces(texts.begin(), texts.end());
  REQUIRE(file->Write(0, pieces).ok());
  CHECK(ReadAll(*file) == whole);
}

ENV_TEST("File Read: short only at the end") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  REQUIRE(file->Write(0, "0123456789").ok());
  std::string out(4, '.');
  CHECK(file->Read(3, out).value() == 4);
  CHECK(out == "3456");
  CHECK(file->Read(8, out).value() == 2);
  CHECK(out.substr(0, 2) == "89");
  CHECK(file->Read(10, out).value() == 0);
  CHECK(file->Read(1000, out).value() == 0);
}

ENV_TEST("File Truncate: cuts, and grows with zeros") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  REQUIRE(file->Write(0, "0123456789").ok());
  REQUIRE(file->Truncate(3).ok());
  REQUIRE(file->Truncate(6).ok());
  CHECK(ReadAll(*file) == std::string("012\0\0\0", 6));
}

ENV_TEST("File Sync: content stays, with and without the cache") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  REQUIRE(file->Write(0, std::string(10'000, 'x')).ok());
  file->StartWriteback(0, 10'000);
  REQUIRE(file->Sync().ok());
  REQUIRE(file->DropCache().ok());
  CHECK(ReadAll(*file) == std::string(10'000, 'x'));
  const auto again = on.env->Open(on.root + "/a", OpenMode::kRead).value();
  CHECK(ReadAll(*again) == std::string(10'000, 'x'));
}

ENV_TEST("File DropCache: keeps what is not synced yet") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  REQUIRE(file->Write(0, "not synced").ok());
  REQUIRE(file->DropCache().ok());
  CHECK(ReadAll(*file) == "not synced");
}

ENV_TEST("Env List: sorted names of files and directories") {
  TestType on;
  REQUIRE(on.env->MakeDirs(on.root + "/dir/deep/er").ok());
  REQUIRE(on.env->MakeDirs(on.root + "/dir/deep/er").ok());
  for (const char* name : {"/c", "/a", "/b", "/dir/x"}) {
    REQUIRE(on.env->Open(on.root + name, OpenMode::kCreate).has_value());
  }
  CHECK(on.env->List(on.root).value() == std::vector<std::string>{"a", "b", "c", "dir"});
  CHECK(on.env->List(on.root + "/dir").value() == std::vector<std::string>{"deep", "x"});
  CHECK(on.env->List(on.root + "/none").error().code() == Code::kNotFound);
  CHECK(on.env->Exists(on.root + "/dir/deep").value());
}

ENV_TEST("Env MakeDirs: refuses a file in the way") {
  TestType on;
  REQUIRE(on.env->Open(on.root + "/a", OpenMode::kCreate).has_value());
  CHECK(on.env->MakeDirs(on.root + "/a").code() == Code::kFailedPrecondition);
}

ENV_TEST("Env Rename: replaces, and open files stay usable") {
  TestType on;
  const auto a = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  const auto b = on.env->Open(on.root + "/b", OpenMode::kCreate).value();
  REQUIRE(a->Write(0, "a").ok());
  REQUIRE(b->Write(0, "b").ok());
  REQUIRE(on.env->Rename(on.root + "/a", on.root + "/b").ok());
  REQUIRE(on.env->SyncDir(on.root).ok());
  CHECK(on.env->List(on.root).value() == std::vector<std::string>{"b"});
  CHECK(ReadAll(*on.env->Open(on.root + "/b", OpenMode::kRead).value()) == "a");
  CHECK(ReadAll(*b) == "b");
  REQUIRE(a->Write(1, "+").ok());
  CHECK(ReadAll(*on.env->Open(on.root + "/b", OpenMode::kRead).value()) == "a+");
  CHECK(on.env->Rename(on.root + "/a", on.root + "/c").code() == Code::kNotFound);
}

ENV_TEST("Env RenameToNew: takes a free name, and replaces nothing") {
  TestType on;
  for (const std::string name : {"/a", "/b"}) {
    const auto file = on.env->Open(on.root + name, OpenMode::kCreate).value();
    REQUIRE(file->Write(0, name).ok());
  }
  REQUIRE(on.env->MakeDirs(on.root + "/dir").ok());
  const Status taken = on.env->RenameToNew(on.root + "/a", on.root + "/b");
  CHECK(taken.code() == Code::kAlreadyExists);
  CHECK(taken.message().find(on.root + "/b") != std::string::npos);
  CHECK(on.env->RenameToNew(on.root + "/a", on.root + "/dir").code() == Code::kAlreadyExists);
  CHECK(ReadAll(*on.env->Open(on.root + "/b", OpenMode::kRead).value()) == "/b");
  REQUIRE(on.env->RenameToNew(on.root + "/a", on.root + "/c").ok());
  REQUIRE(on.env->SyncDir(on.root).ok());
  CHECK(on.env->List(on.root).value() == std::vector<std::string>{"b", "c", "dir"});
  CHECK(ReadAll(*on.env->Open(on.root + "/c", OpenMode::kRead).value()) == "/a");
  CHECK(on.env->RenameToNew(on.root + "/a", on.root + "/d").code() == Code::kNotFound);
}

ENV_TEST("Env Remove: the name goes, an open file stays readable") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  REQUIRE(file->Write(0, "still here").ok());
  REQUIRE(on.env->Remove(on.root + "/a").ok());
  CHECK(on.env->Exists(on.root + "/a").value() == false);
  CHECK(ReadAll(*file) == "still here");
  CHECK(on.env->Remove(on.root + "/a").code() == Code::kNotFound);
}

ENV_TEST("Env Lock: one holder, free after it") {
  TestType on;
  auto lock = on.env->Lock(on.root + "/LOCK");
  REQUIRE(lock.has_value());
  const auto second = on.env->Lock(on.root + "/LOCK");
  REQUIRE(!second.has_value());
  CHECK(second.error().code() == Code::kFailedPrecondition);
  CHECK(second.error().message().find(on.root + "/LOCK") != std::string::npos);
  lock->reset();
  CHECK(on.env->Lock(on.root + "/LOCK").has_value());
}

ENV_TEST("Env FreeBytes: some, and an error for no directory") {
  TestType on;
  CHECK(on.env->FreeBytes(on.root).value() > 0);
  CHECK(on.env->FreeBytes(on.root + "/none").error().code() == Code::kNotFound);
}

ENV_TEST("Env clock and random: forward, and not the same twice") {
  TestType on;
  const std::int64_t before = on.env->clock().MonotonicNs();
  CHECK(on.env->clock().MonotonicNs() >= before);
  CHECK(on.env->clock().WallMs() > 1'600'000'000'000);
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1000; ++i) numbers.insert(on.env->random().Next());
  CHECK(numbers.size() == 1000);
}

ENV_TEST("File Read: beside one writer") {
  TestType on;
  const auto file = on.env->Open(on.root + "/a", OpenMode::kCreate).value();
  constexpr int kPieces = 2000;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 0; i < kPieces; ++i) {
      if (!file->Write(static_cast<std::uint64_t>(i) * 8, "abcdefgh").ok()) break;
      written.store(i + 1);
    }
  });
  int wrong = 0;
  for (int seen = 0; seen < kPieces;) {
    seen = written.load();
    if (seen == 0) continue;
    std::string piece(8, '.');
    const auto got = file->Read(static_cast<std::uint64_t>(seen - 1) * 8, piece);
    if (!got.has_value() || *got != 8 || piece != "abcdefgh") ++wrong;
  }
  writer.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace sluice::storage

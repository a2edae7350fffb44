// What only the real machine has: a full device, a lock across processes, a directory that cannot be written.
#include "storage/env/posix_env.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::storage {
namespace {

TEST_CASE("PosixEnv Write: a full device is kResourceExhausted and names the file", "[storage][env]") {
  const auto env = NewPosixEnv();
  const auto full = env->Open("/dev/full", OpenMode::kReadWrite);
  REQUIRE(full.has_value());
  const Status status = (*full)->Write(0, "x");
  CHECK(status.code() == Code::kResourceExhausted);
  CHECK(status.message().find("/dev/full") != std::string::npos);
}

TEST_CASE("PosixEnv Write: another error is kIoError with the system's words", "[storage][env]") {
  const TempDir temp;
  const auto env = NewPosixEnv();
  REQUIRE(env->Open(temp.path() + "/a", OpenMode::kCreate).has_value());
  const auto file = env->Open(temp.path() + "/a", OpenMode::kRead).value();
  const Status status = file->Write(0, "x");
  CHECK(status.code() == Code::kIoError);
  CHECK(status.message().find("Bad file descriptor") != std::string::npos);
}

TEST_CASE("PosixEnv Write: a file size limit gives a short write first, then the error", "[storage][env]") {
  const TempDir temp;
  const auto env = NewPosixEnv();
  const auto file = env->Open(temp.path() + "/a", OpenMode::kCreate).value();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status status = file->Write(0, std::string(3000, 'x'));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);
  CHECK(status.code() == Code::kIoError);
  CHECK(file->Size().value() == 1000);
}

TEST_CASE("PosixEnv Sync: a failure is kIoError", "[storage][env]") {
  const auto env = NewPosixEnv();
  const auto file = env->Open("/proc/self/status", OpenMode::kRead).value();
  CHECK(file->Sync().code() == Code::kIoError);
  CHECK(env->SyncDir("/proc/self").code() == Code::kIoError);
}

TEST_CASE("PosixEnv Open, MakeDirs: private by default, as the umask says where shared", "[storage][env]") {
  const TempDir temp;
  const auto env = NewPosixEnv();
  const auto mode_of = [&](const std::string& name) {
    struct stat info{};
    REQUIRE(::stat((temp.path() + name).c_str(), &info) == 0);
    return info.st_mode & 0777u;
  };
  const mode_t before = ::umask(0002);
  const bool made = env->MakeDirs(temp.path() + "/private/deep").ok() &&
                    env->MakeDirs(temp.path() + "/shared/deep", Access::kShared).ok() &&
                    env->Open(temp.path() + "/private/file", OpenMode::kCreate).has_value() &&
                    env->Open(temp.path() + "/shared/file", OpenMode::kCreate, Access::kShared).has_value();
  ::umask(before);
  REQUIRE(made);
  CHECK(mode_of("/private") == 0750);
  CHECK(mode_of("/private/deep") == 0750);
  CHECK(mode_of("/private/file") == 0640);
  CHECK(mode_of("/shared") == 0775);
  CHECK(mode_of("/shared/deep") == 0775);
  CHECK(mode_of("/shared/file") == 0664);
}

TEST_CASE("PosixEnv Lock: names the process that holds it and is free when that dies", "[storage][env]") {
  const TempDir temp;
  const auto env = NewPosixEnv();
  const std::string path = temp.path() + "/LOCK";
  int locked[2];
  REQUIRE(::pipe(locked) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto lock = env->Lock(path);
    const char answer = lock.has_value() ? '1' : '0';
    if (::write(locked[1], &answer, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char answer = '?';
  REQUIRE(::read(locked[0], &answer, 1) == 1);
  REQUIRE(answer == '1');
  const auto refused = env->Lock(path);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Code::kFailedPrecondition);
  CHECK(refused.error().message().find("process " + std::to_string(child)) != std::string::npos);
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(env->Lock(path).has_value());
  ::close(locked[0]);
  ::close(locked[1]);
}

TEST_CASE("PosixEnv Open, SyncDir: no free descriptor is kResourceExhausted", "[storage][env]") {
  const TempDir temp;
  const auto env = NewPosixEnv();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto file = env->Open(temp.path() + "/a", OpenMode::kCreate);
  const Status synced = env->SyncDir(temp.path());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(!file.has_value());
  CHECK(file.error().code() == Code::kResourceExhausted);
  CHECK(synced.code() == Code::kResourceExhausted);
}

TEST_CASE("PosixEnv random: two environments differ", "[storage][env]") {
  CHECK(NewPosixEnv()->random().Next() != NewPosixEnv()->random().Next());
}

}  // namespace
}  // namespace sluice::storage

// Starts, watches and ends a broker process.
#include "tools/bench/broker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "protocol/base64.h"

namespace sluice::tools {

namespace {

constexpr auto kStartTimeout = std::chrono::seconds(120);
constexpr auto kPollInterval = std::chrono::microseconds(500);
constexpr auto kWriteTimeout = std::chrono::seconds(30);

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// So that streams can be encrypted; their records are thrown away, and so is the key.
Status WriteKeyFile(const std::string& path) {
  constexpr std::size_t kKeyBytes = 32;
  std::ofstream(path) << "bench " << protocol::EncodeBase64(std::string(kKeyBytes, 'k')) << '\n';
  std::error_code error;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read, error);
  return error ? Status(Code::kUnavailable, fmt::format("cannot write {}: {}", path, error.message())) : Status();
}

}  // namespace

BrokerProcess::BrokerProcess(const BenchOptions& options, std::string dir, Settings settings)
    : program_(options.program), dir_(std::move(dir)), settings_(std::move(settings)) {}

Result<std::unique_ptr<BrokerProcess>> BrokerProcess::Start(const BenchOptions& options, const std::string& name,
                                                            Settings settings) {
  const std::string dir = fmt::format("{}/{}.{}", options.dir, name, getpid());
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  const std::string key_file = dir + "/master.keys";
  if (Status written = WriteKeyFile(key_file); !written.ok()) return Error(written);
  settings.emplace_back("SLUICE_ENCRYPTION__KEY_FILE", key_file);
  std::unique_ptr<BrokerProcess> broker(new BrokerProcess(options, dir, std::move(settings)));
  if (auto started = broker->Launch(); !started) return Error(started.error());
  return broker;
}

BrokerProcess::~BrokerProcess() {
  End(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

Result<double> BrokerProcess::Launch() {
  const std::string ports_file = data_dir() + "/ports.json";
  std::filesystem::remove(ports_file);
  const auto start = std::chrono::steady_clock::now();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("SLUICE_NATIVE__PORT", "0", 1);
    setenv("SLUICE_ADMIN__PORT", "0", 1);
    setenv("SLUICE_AWS__PORT", "0", 1);
    setenv("SLUICE_AWS__TLS_PORT", "0", 1);
    for (const auto& [key, value] : settings_) setenv(key.c_str(), value.c_str(), 1);
    const int log = open((dir_ + "/broker.log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    const std::string lake = dir_ + "/lake";
    execl(program_.c_str(), "sluice", "serve", "--data", data_dir().c_str(), "--lake", lake.c_str(), nullptr);
    _exit(127);
  }
  while (std::chrono::steady_clock::now() - start < kStartTimeout) {
    boost::system::error_code error;
    const boost::json::value ports = boost::json::parse(ReadFile(ports_file), error);
    if (!error && ports.is_object() && ports.as_object().contains("native")) {
      native_port_ = static_cast<std::uint16_t>(ports.at("native").to_number<int>());
      admin_port_ = static_cast<std::uint16_t>(ports.at("admin").to_number<int>());
      aws_port_ = static_cast<std::uint16_t>(ports.at("aws").to_number<int>());
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return Error(Code::kUnavailable,
               fmt::format("the broker did not start; its log says: {}", ReadFile(dir_ + "/broker.log")));
}

void BrokerProcess::End(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Result<double> BrokerProcess::Restart(int signal) {
  End(signal);
  return Launch();
}

std::unique_ptr<AdminClient> BrokerProcess::Admin() const {
  ClientOptions options;
  options.address = fmt::format("127.0.0.1:{}", native_port_);
  auto client = AdminClient::Connect(options);
  return client ? std::move(*client) : nullptr;
}

Result<std::uint32_t> BrokerProcess::CreateStream(const std::string& name, std::uint32_t shards,
                                                  const Retention& retention) const {
  const auto admin = Admin();
  if (!admin) return Error(Code::kUnavailable, "the broker does not answer");
  auto stream = admin->CreateStream(name, shards, retention);
  if (!stream) return Error(stream.error());
  return stream->stream_id;
}

Status BrokerProcess::WaitUntilWritten() const {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < kWriteTimeout) {
    boost::asio::ip::tcp::iostream page("127.0.0.1", std::to_string(admin_port_));
    page << "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n" << std::flush;
    for (std::string line; std::getline(page, line);) {
      if (line == "sluice_unwritten_bytes 0") return {};
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return Status(Code::kTimedOut, "the broker does not write its segments");
}

std::uint64_t BrokerProcess::ResidentBytes() const {
  std::istringstream fields(ReadFile(fmt::format("/proc/{}/statm", pid_)));
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  fields >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace sluice::tools

// Global options, connection and exit codes of the command line.
#include "tools/sluice/context.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace sluice::tools {

namespace {

int ExitCodeOf(Code code) {
  switch (code) {
    case Code::kOk:
      return kExitOk;
    case Code::kNotFound:
      return kExitNotFound;
    case Code::kUnavailable:
      return kExitUnavailable;
    case Code::kCorruption:
      return kExitDamaged;
    case Code::kInvalidArgument:
    case Code::kAlreadyExists:
    case Code::kOutOfRange:
    case Code::kFailedPrecondition:
    case Code::kFenced:
    case Code::kResourceExhausted:
    case Code::kTimedOut:
    case Code::kIoError:
    case Code::kUnimplemented:
    case Code::kInternal:
    case Code::kShardClosed:
      return kExitFailed;
  }
  return kExitFailed;
}

}  // namespace

ClientOptions Context::client_options() const {
  ClientOptions options;
  options.address = broker;
  options.client_name = "sluice-cli";
  return options;
}

std::unique_ptr<AdminClient> Context::Connect() {
  auto client = AdminClient::Connect(client_options());
  if (client) return std::move(*client);
  FailToConnect(client.error());
  return nullptr;
}

bool Context::Fail(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "sluice: {}\n", status.message().empty() ? status.ToString() : status.message());
  exit_code = ExitCodeOf(status.code());
  return false;
}

bool Context::FailToConnect(const Status& status) {
  Fail(status);
  if (status.code() == Code::kUnavailable) {
    fmt::print(stderr, "Start a broker with 'sluice serve', or name one with --broker HOST:PORT.\n");
  }
  return false;
}

bool Context::FailUsage(std::string_view message) {
  std::fflush(stdout);
  fmt::print(stderr, "sluice: {}\n", message);
  exit_code = kExitUsage;
  return false;
}

}  // namespace sluice::tools

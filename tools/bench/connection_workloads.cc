// Row 20: what a connection costs that has been used and waits, in the broker and in the kernel.
#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/env/posix_env.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/kinesis_load.h"
#include "tools/bench/loopback_socket.h"
#include "tools/bench/native_load.h"
#include "tools/bench/workloads.h"

namespace sluice::tools {
namespace {

constexpr std::size_t kConnections = 10'000;
constexpr std::size_t kWarmUp = 64;  // before what is measured: what the first ones allocate is there for all

/// What the kernel keeps in its slab caches, in bytes: of the whole machine, so other work on it is in the figure.
Result<std::uint64_t> SlabBytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string name; file >> name;) {
    std::uint64_t kib = 0;
    if (name == "Slab:" && file >> kib) return kib * 1024;
  }
  return Error(Code::kUnavailable, "/proc/meminfo does not tell the size of the kernel's slab caches");
}

/// Opens connections to `port` and sends one request on each.
Status OpenUsed(std::uint16_t port, std::size_t count, std::string_view request, const AnswerSizer& answer_size,
                std::vector<LoopbackSocket>& sockets) {
  for (std::size_t i = 0; i < count; ++i) {
    auto socket = LoopbackSocket::Connect(port);
    if (!socket) return socket.error();
    if (auto answer = socket->Exchange(request, answer_size); !answer) return answer.error();
    sockets.push_back(std::move(*socket));
  }
  return {};
}

Result<Figure> MemoryOfOne(const BrokerProcess& broker, std::uint16_t port, std::string_view name,
                           std::string_view request, const AnswerSizer& answer_size) {
  std::vector<LoopbackSocket> sockets;
  sockets.reserve(kWarmUp + kConnections);
  if (Status status = OpenUsed(port, kWarmUp, request, answer_size, sockets); !status.ok()) return Error(status);
  const std::uint64_t resident_before = broker.ResidentBytes();
  const auto slab_before = SlabBytes();
  if (!slab_before) return Error(slab_before.error());
  if (Status status = OpenUsed(port, kConnections, request, answer_size, sockets); !status.ok()) return Error(status);
  const auto slab = SlabBytes();
  if (!slab) return Error(slab.error());

  constexpr double kKibOfEach = 1024.0 * kConnections;
  const double ours = static_cast<double>(broker.ResidentBytes() - resident_before) / kKibOfEach;
  const double kernel = static_cast<double>(*slab - *slab_before) / 2 / kKibOfEach;  // both ends are on this machine
  Figure figure{.row = 20, .unit = "KiB", .better = Better::kLower, .goal = 8, .floor = 16};
  figure.name = fmt::format("memory of an idle connection, {}", name);
  figure.value = ours + kernel;
  figure.note =
      fmt::format("{} connections; {:.1f} KiB in the broker, {:.1f} KiB in the kernel", kConnections, ours, kernel);
  return figure;
}

}  // namespace

Result<std::vector<Figure>> BenchConnections(const BenchOptions& options) {
  storage::RaiseFileLimit();
  std::vector<Figure> figures;
  for (const bool aws : {false, true}) {  // a broker each: memory that one port has given back serves the other
    auto broker = StartKinesisBroker(options, Signatures::kIgnored);
    if (!broker) return Error(broker.error());
    const std::uint16_t port = aws ? (*broker)->aws_port() : (*broker)->native_port();
    auto figure = aws ? MemoryOfOne(**broker, port, "AWS port, HTTP/1.1", KinesisRequest(port, "ListStreams", "{}"),
                                    KinesisLoad(port).answer_size)
                      : MemoryOfOne(**broker, port, "native port", HelloMessage(), AnswerSize);
    if (!figure) return Error(figure.error());
    figures.push_back(*figure);
  }
  return figures;
}

}  // namespace sluice::tools

// The real broker in this process, with a data directory of its own, and clients of it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "broker/server.h"
#include "sluice/admin.h"
#include "sluice/consumer.h"
#include "sluice/producer.h"
#include "tests/catch.h"

namespace sluice {

template <typename T>
std::unique_ptr<T> Opened(Result<std::unique_ptr<T>> result) {
  INFO((result ? "" : result.error().ToString()));
  REQUIRE(result.has_value());
  return std::move(*result);
}

class TestBroker {
 public:
  explicit TestBroker(std::uint64_t segments = 64u << 20) : segment_bytes_(segments) {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-client-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    Start();
  }
  ~TestBroker() {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Start() {
    broker::Config config;
    config.server.data_dir = directory_;
    config.server.allow_volatile = true;
    config.storage.journal_file_bytes = 32u << 20;
    config.storage.segment_bytes = segment_bytes_;
    config.retention.interval_ms = 100;
    config.log.level = "error";
    config.native.port = port_;
    config.admin.port = 0;
    config.aws.port = 0;
    config.aws.tls.port = 0;
    auto server = broker::Server::Start(std::move(config));
    INFO((server ? "" : server.error().ToString()));
    REQUIRE(server.has_value());
    server_ = std::move(*server);
    port_ = server_->ports().native;
  }
  void Stop() {
    REQUIRE(server_->Stop().ok());
    server_.reset();
  }

  ClientOptions client() const {
    ClientOptions options;
    options.address = "127.0.0.1:" + std::to_string(port_);
    return options;
  }
  std::unique_ptr<AdminClient> Admin() const { return Opened(AdminClient::Connect(client())); }
  std::unique_ptr<Producer> OpenProducer(const std::string& stream, ProducerOptions options = {}) const {
    options.client = client();
    return Opened(Producer::Open(stream, options));
  }
  std::unique_ptr<Consumer> OpenConsumer(const std::string& stream, Position start = Position::Oldest()) const {
    ConsumerOptions options;
    options.client = client();
    options.start = start;
    return Opened(Consumer::Open(stream, options));
  }

 private:
  const std::uint64_t segment_bytes_;
  std::string directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<broker::Server> server_;
};

}  // namespace sluice

// A client of HTTP/1.1 over a real socket that sends any bytes and takes answers apart, blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker::aws {

class HttpClient {
 public:
  struct Answer {
    int status = 0;
    std::string head;  // line and fields, with their line ends
    std::string body;
  };

  explicit HttpClient(std::uint16_t port);
  virtual ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  virtual void Send(std::string_view bytes);
  /// nullopt where the broker has closed the connection.
  std::optional<Answer> Receive();
  /// Some bytes, as they come; empty at the end.
  virtual std::string ReceiveSome();
  int socket() const { return socket_; }

  /// A POST of JSON to an operation of the test service.
  static std::string Post(std::string_view operation, std::string_view body, std::string_view more_fields = {});

 private:
  int socket_;
  std::string ahead_;
};

}  // namespace sluice::broker::aws

// A client of HTTP/2 without a socket, for the tests of the server's session: requests in, frames out, and what came
// back for each stream.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::broker::aws {

class Http2Peer {
 public:
  struct Answer {
    std::map<std::string, std::string> fields;  // ":status" too
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;  // the code of a RST_STREAM
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  /// kShut: windows are opened by OpenWindow alone.
  enum class Windows : std::uint8_t { kOpened, kShut };
  explicit Http2Peer(Windows windows = Windows::kOpened);
  ~Http2Peer();

  /// A POST; without `ends` the body goes on with Append. The stream's id.
  std::int32_t Post(const Fields& fields, std::string_view body, bool ends = true);
  void Append(std::int32_t stream, std::string_view body, bool ends);
  void Reset(std::int32_t stream);
  /// Further, by so many bytes; `stream` 0 is the connection's.
  void OpenWindow(std::int32_t stream, std::int32_t bytes);
  /// What is to be sent now.
  std::string Output();
  /// False where it was no HTTP/2.
  bool Receive(std::string_view bytes);

  const Answer& answer(std::int32_t stream);
  /// The code and the last stream of a GOAWAY.
  std::optional<std::pair<std::uint32_t, std::int32_t>> goaway() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::broker::aws

// A server on loopback at a free port that speaks PostgreSQL's protocol 3.0 as far as loads need it, and does to each
// statement what a test says. It has transactions, one table of loads with its lock, and remembers the COPY statements
// that were committed; a COPY reads nothing.
//
// Each connection has a thread; what the test calls is safe beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::delivery {

class FakeCluster {
 public:
  enum class Does : std::uint8_t {
    kAnswer,
    kError,       // with sql_state and message
    kCutBefore,   // the connection breaks before it is done: the transaction is rolled back
    kCutAfter,    // and after it is done
    kCutAndWork,  // the connection breaks, and the server does it once another one waits for the lock
    kHang,        // until the client goes or cancels
    kCopyIn,      // asks for the bytes to copy
  };
  struct Reaction {
    Does does = Does::kAnswer;
    std::string sql_state = {};
    std::string message = {};
  };
  /// `statement` begins with the words that a test looks for, as "COPY"; `nth`: of all statements that begin with its
  /// first word, from 0.
  using Handler = std::function<Reaction(std::string_view statement, std::size_t nth)>;

  FakeCluster();  // which answers everything
  explicit FakeCluster(Handler handler);
  ~FakeCluster();

  static constexpr std::string_view kUser = "loader";
  static constexpr std::string_view kPassword = "Geheim99";

  /// "jdbc:redshift://127.0.0.1:PORT/dev?sslmode=disable", or with another query.
  std::string Url(std::string_view query = "?sslmode=disable") const;
  /// All that arrived, in order, whatever became of them.
  std::vector<std::string> Statements() const;
  /// How many of them begin with this.
  std::size_t Count(std::string_view begin) const;
  /// The COPY statements that were committed.
  std::vector<std::string> Loaded() const;
  /// The rows of the table of loads: delivery stream and manifest.
  std::vector<std::pair<std::string, std::string>> Rows() const;
  std::size_t cancels() const;
  std::size_t connections() const;  // that got past the password

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::delivery

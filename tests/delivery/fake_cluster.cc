// Blocking asio, and as little SQL as will do.
#include "tests/delivery/fake_cluster.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/catch.h"

namespace sluice::delivery {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kProtocol3 = 196'608;
constexpr std::uint32_t kSslRequest = 80'877'103;
constexpr std::uint32_t kCancelRequest = 80'877'102;
constexpr std::string_view kSalt = "salt";

std::string Int32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::uint32_t ReadInt32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string Message(char type, std::string_view body) {
  return type + Int32(static_cast<std::uint32_t>(body.size() + 4)).append(body);
}

std::string Text(std::string_view text) { return std::string(text) + '\0'; }

std::string Md5Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string ErrorMessage(std::string_view severity, std::string_view sql_state, std::string_view message) {
  return Message('E', fmt::format("S{0}{3}V{0}{3}C{1}{3}M{2}{3}{3}", severity, sql_state, message, '\0'));
}

std::string_view FirstWord(std::string_view sql) { return sql.substr(0, sql.find(' ')); }

/// The first two literals.
std::pair<std::string, std::string> TwoLiterals(std::string_view sql) {
  std::array<std::string, 2> found;
  for (std::string& literal : found) {
    sql.remove_prefix(std::min(sql.find('\'') + 1, sql.size()));
    const std::size_t end = std::min(sql.find('\''), sql.size());
    literal = sql.substr(0, end);
    sql.remove_prefix(std::min(end + 1, sql.size()));
  }
  return {found[0], found[1]};
}

}  // namespace

class FakeCluster::Impl {
 public:
  explicit Impl(Handler handler) : handler_(std::move(handler)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    accepting_ = std::thread([this] { Accept(); });
  }
  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const auto& session : sessions_) session->Cut();
    }
    changed_.notify_all();
    error_code ignored;
    tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);  // wakes accept
    accepting_.join();
    for (const auto& session : sessions_) session->thread.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  mutable std::mutex mutex_;
  std::vector<std::string> statements_;  // guarded by mutex_, as all that follows
  std::vector<std::string> loaded_;
  std::vector<std::pair<std::string, std::string>> rows_;
  std::size_t cancels_ = 0;
  std::size_t connections_ = 0;

 private:
  struct Session {
    Session(tcp::socket with, std::uint32_t number) : socket(std::move(with)), id(number) {}
    void Cut() {
      error_code ignored;
      socket.shutdown(tcp::socket::shutdown_both, ignored);
    }
    bool Read(std::size_t bytes, std::string& into) {
      into.resize(bytes);
      error_code error;
      asio::read(socket, asio::buffer(into), error);
      return !error;
    }
    void Write(std::string_view bytes) {
      error_code ignored;
      asio::write(socket, asio::buffer(bytes.data(), bytes.size()), ignored);
    }

    tcp::socket socket;
    const std::uint32_t id;
    std::thread thread;
    bool in_transaction = false;
    bool failed = false;  // the transaction
    std::vector<std::string> copies;
    std::vector<std::pair<std::string, std::string>> notes;
  };

  void Accept() {
    while (true) {
      tcp::socket socket(io_);
      error_code error;
      acceptor_.accept(socket, error);
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (error) continue;
      sessions_.push_back(
          std::make_unique<Session>(std::move(socket), static_cast<std::uint32_t>(sessions_.size() + 1)));
      Session* const session = sessions_.back().get();
      session->thread = std::thread([this, session] {
        if (Greet(*session)) Serve(*session);
        Leave(*session);
      });
    }
  }

  /// False where there is nothing to serve.
  bool Greet(Session& session) {
    std::string head, body;
    while (true) {
      if (!session.Read(8, head)) return false;
      if (!session.Read(ReadInt32(head) - 8, body)) return false;
      const std::uint32_t code = ReadInt32(std::string_view(head).substr(4));
      if (code == kProtocol3) break;
      if (code == kCancelRequest) Cancel(ReadInt32(body));
      if (code != kSslRequest) return false;
      session.Write("N");
    }
    session.Write(Message('R', Int32(5).append(kSalt)));
    if (!session.Read(5, head) || !session.Read(ReadInt32(std::string_view(head).substr(1)) - 4, body)) return false;
    const std::string inner = Md5Hex(std::string(kPassword).append(kUser));
    if (body != Text("md5" + Md5Hex(inner + std::string(kSalt)))) {
      session.Write(
          ErrorMessage("FATAL", "28000", fmt::format("password authentication failed for user \"{}\"", kUser)));
      return false;
    }
    session.Write(Message('R', Int32(0)) + Message('S', Text("server_version") + Text("8.0.2")) +
                  Message('S', Text("client_encoding") + Text("UTF8")) + Message('K', Int32(session.id) + Int32(0)) +
                  Message('Z', "I"));
    const std::lock_guard lock(mutex_);
    ++connections_;
    return true;
  }

  void Cancel(std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    ++cancels_;
    if (id > 0 && id <= sessions_.size()) sessions_[id - 1]->Cut();
  }

  void Serve(Session& session) {
    std::string head, body;
    while (session.Read(5, head) && session.Read(ReadInt32(std::string_view(head).substr(1)) - 4, body)) {
      if (head[0] != 'Q') return;
      body.pop_back();
      if (!React(session, body)) return;
    }
  }

  /// False where the connection is at its end.
  bool React(Session& session, const std::string& sql) {
    std::size_t nth = 0;
    {
      const std::lock_guard lock(mutex_);
      statements_.push_back(sql);
      nth = seen_[std::string(FirstWord(sql))]++;
    }
    const Reaction reaction = handler_(sql, nth);
    switch (reaction.does) {
      case Does::kAnswer:
        return Answer(session, Do(session, sql));
      case Does::kError:
        session.failed = session.in_transaction;
        return Answer(session, ErrorMessage("ERROR", reaction.sql_state, reaction.message));
      case Does::kCutBefore:
        return false;
      case Does::kCutAfter:
        Do(session, sql);
        return false;
      case Does::kCutAndWork:
        session.Cut();
        WaitForWaiter();
        Do(session, sql);
        return false;
      case Does::kHang: {
        std::string never;
        (void)session.Read(1, never);
        return false;
      }
      case Does::kCopyIn:
        return Answer(session, Message('G', std::string(3, '\0')));
    }
    return false;
  }

  bool Answer(Session& session, const std::string& bytes) {
    const std::string_view state = !session.in_transaction ? "I" : session.failed ? "E" : "T";
    session.Write(bytes + (bytes.front() == 'G' ? "" : Message('Z', state)));
    return true;
  }

  std::string Do(Session& session, const std::string& sql) {
    const std::string_view word = FirstWord(sql);
    if (session.failed && word != "COMMIT" && word != "ROLLBACK")
      return ErrorMessage("ERROR", "25P02", "current transaction is aborted");
    if (word == "BEGIN") session.in_transaction = true;
    if (word == "COMMIT") return Commit(session);
    if (word == "LOCK" && !Lock(session)) {
      session.failed = true;
      return ErrorMessage("ERROR", "42P01", "relation \"sluice_loads\" does not exist");
    }
    const std::lock_guard lock(mutex_);
    if (word == "CREATE") has_loads_ = true;
    if (word == "COPY") session.copies.push_back(sql);
    if (word == "INSERT") session.notes.push_back(TwoLiterals(sql));
    if (word != "SELECT") return Message('C', Text(word));
    const bool found = std::ranges::find(rows_, TwoLiterals(sql)) != rows_.end();
    const std::string column = std::string("\0\x01", 2) + Text("?column?") + std::string(18, '\0');
    const std::string row = std::string("\0\x01\0\0\0\x01", 6) + "1";
    return Message('T', column) + (found ? Message('D', row) : "") + Message('C', Text("SELECT"));
  }

  std::string Commit(Session& session) {
    const bool good = !session.failed;
    {
      const std::lock_guard lock(mutex_);
      if (good) {
        loaded_.insert(loaded_.end(), session.copies.begin(), session.copies.end());
        rows_.insert(rows_.end(), session.notes.begin(), session.notes.end());
      }
    }
    RollBack(session);
    return Message('C', Text(good ? "COMMIT" : "ROLLBACK"));
  }

  void RollBack(Session& session) {
    const std::lock_guard lock(mutex_);
    session.in_transaction = session.failed = false;
    session.copies.clear();
    session.notes.clear();
    if (lock_owner_ == session.id) lock_owner_ = 0;
    changed_.notify_all();
  }

  /// False where there is no table.
  bool Lock(const Session& session) {
    std::unique_lock lock(mutex_);
    if (!has_loads_) return false;
    ++lock_waiters_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return lock_owner_ == 0 || stopping_; });
    --lock_waiters_;
    lock_owner_ = session.id;
    return true;
  }

  void WaitForWaiter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return lock_waiters_ > 0 || stopping_; });
  }

  void Leave(Session& session) {
    RollBack(session);
    session.Cut();
  }

  const Handler handler_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool has_loads_ = false;
  std::uint32_t lock_owner_ = 0;
  int lock_waiters_ = 0;
  std::map<std::string, std::size_t> seen_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::thread accepting_;
};

FakeCluster::FakeCluster() : FakeCluster([](std::string_view, std::size_t) { return Reaction(); }) {}
FakeCluster::FakeCluster(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {}
FakeCluster::~FakeCluster() = default;

std::string FakeCluster::Url(std::string_view query) const {
  return fmt::format("jdbc:redshift://127.0.0.1:{}/dev{}", impl_->port(), query);
}
std::vector<std::string> FakeCluster::Statements() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->statements_;
}
std::size_t FakeCluster::Count(std::string_view begin) const {
  const std::vector<std::string> statements = Statements();
  return static_cast<std::size_t>(
      std::ranges::count_if(statements, [&](const std::string& each) { return each.starts_with(begin); }));
}
std::vector<std::string> FakeCluster::Loaded() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->loaded_;
}
std::vector<std::pair<std::string, std::string>> FakeCluster::Rows() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->rows_;
}
std::size_t FakeCluster::cancels() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->cancels_;
}
std::size_t FakeCluster::connections() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->connections_;
}

}  // namespace sluice::delivery

// libcurl's easy interface, one handle for each client.
#include "broker/delivery/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/ascii.h"
#include "protocol/check.h"
#include "protocol/freer.h"

namespace sluice::delivery {
namespace {

using Handle = std::unique_ptr<CURL, protocol::Freer<curl_easy_cleanup>>;
using List = std::unique_ptr<curl_slist, protocol::Freer<curl_slist_free_all>>;

CURL* NewHandle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, whichever thread comes first
  SLUICE_CHECK(ready == CURLE_OK);
  CURL* const handle = curl_easy_init();
  SLUICE_CHECK(handle != nullptr);
  return handle;
}

/// An answer that arrives.
struct Arriving {
  std::string body;
  std::uint64_t bytes_max = 0;
  bool too_large = false;
};

std::size_t TakeBytes(char* bytes, std::size_t /*always 1*/, std::size_t count, void* to) {
  auto& arriving = *static_cast<Arriving*>(to);
  if (count > arriving.bytes_max - arriving.body.size()) {
    arriving.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  arriving.body.append(bytes, count);
  return count;
}

int StopAsked(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(stop))() ? 1 : 0;
}

List HeaderList(const HttpPost& post) {
  List list;
  const auto add = [&list](const std::string& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    SLUICE_CHECK(longer != nullptr);
    (void)list.release();
    list.reset(longer);
  };
  // No asking before a large body, which would cost a second where nobody knows that header. libcurl 7 signs this line,
  // and does not send it.
  if (post.signer == nullptr) add("Expect:");
  for (const auto& [name, value] : post.headers) add(fmt::format("{}: {}", name, value));
  if (post.signer != nullptr && !post.signer->session_token.empty())
    add(fmt::format("X-Amz-Security-Token: {}", post.signer->session_token));
  return list;
}

HttpHeaders HeadersOf(CURL* handle) {
  HttpHeaders headers;
  curl_header* header = nullptr;
  while ((header = curl_easy_nextheader(handle, CURLH_HEADER, -1, header)) != nullptr) {
    headers.emplace_back(protocol::Lower(std::string_view(header->name)), header->value);
  }
  return headers;
}

}  // namespace

bool IsHttpUrl(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) && text.find_first_of(" \t\r\n") == text.npos;
}

std::string TellableUrl(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = url.find("://") == url.npos ? 0 : url.find("://") + 3;
  const std::size_t at = url.substr(0, url.find('/', host)).rfind('@');
  if (at == url.npos || at < host) return std::string(url);
  return fmt::format("{}{}", url.substr(0, host), url.substr(at + 1));
}

std::string_view HttpAnswer::Header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

class HttpClient::Impl {
 public:
  Impl(std::string ca_file, std::function<bool()> stop)
      : ca_file_(std::move(ca_file)), stop_(std::move(stop)), handle_(NewHandle()) {
    Set(CURLOPT_NOSIGNAL, 1L);  // else time-outs would be signals, of the whole process
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_USERAGENT, "sluice");
    Set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);  // of signed requests, which ask
    Set(CURLOPT_ERRORBUFFER, words_.data());
    Set(CURLOPT_WRITEFUNCTION, TakeBytes);
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_XFERINFOFUNCTION, StopAsked);
    Set(CURLOPT_XFERINFODATA, &stop_);
    if (!ca_file_.empty()) {
      Set(CURLOPT_CAINFO, ca_file_.c_str());
      Set(CURLOPT_CAPATH, nullptr);
    }
  }

  void KeepCookies() { Set(CURLOPT_COOKIEFILE, ""); }

  Result<HttpAnswer> Post(const HttpPost& post) {
    Arriving arriving{.body = {}, .bytes_max = post.answer_bytes_max};
    const List headers = HeaderList(post);
    words_[0] = '\0';
    Set(CURLOPT_URL, post.url.c_str());
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDS, post.body.data());
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
    Set(CURLOPT_HTTPHEADER, headers.get());
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(post.connect_timeout_ms));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(post.timeout_ms));
    Set(CURLOPT_WRITEDATA, &arriving);
    SignBy(post.signer);
    const CURLcode outcome = curl_easy_perform(handle_.get());
    if (arriving.too_large) {
      return Error(Code::kResourceExhausted,
                   fmt::format("{} answers with more than {} bytes", TellableUrl(post.url), post.answer_bytes_max));
    }
    if (outcome != CURLE_OK) return Error(Failure(outcome, post));
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return HttpAnswer{static_cast<int>(status), HeadersOf(handle_.get()), std::move(arriving.body)};
  }

 private:
  void SignBy(const AwsSigner* signer) {
    if (signer == nullptr) {
      Set(CURLOPT_AWS_SIGV4, nullptr);
      Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));  // of a name in the URL
      Set(CURLOPT_USERNAME, nullptr);
      Set(CURLOPT_PASSWORD, nullptr);
      return;
    }
    Set(CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:{}", signer->region, signer->service).c_str());
    Set(CURLOPT_USERNAME, signer->access_key_id.c_str());
    Set(CURLOPT_PASSWORD, signer->secret_access_key.c_str());
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    SLUICE_CHECK(curl_easy_setopt(handle_.get(), option, value) == CURLE_OK);
  }

  Status Failure(CURLcode outcome, const HttpPost& post) {
    const std::string_view words = words_[0] != '\0' ? words_.data() : curl_easy_strerror(outcome);
    const std::string message = fmt::format("POST {}: {}", TellableUrl(post.url), words);
    switch (outcome) {
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return Status(Code::kInvalidArgument, message);
      case CURLE_ABORTED_BY_CALLBACK:
        return Status(Code::kUnavailable,
                      fmt::format("POST {}: cut off, as the broker or the delivery stream is asked to stop",
                                  TellableUrl(post.url)));
      case CURLE_OPERATION_TIMEDOUT: {
        curl_off_t sent_us = 0;  // when the request began to go out; 0: there was no connection
        curl_easy_getinfo(handle_.get(), CURLINFO_PRETRANSFER_TIME_T, &sent_us);
        return Status(sent_us > 0 ? Code::kTimedOut : Code::kUnavailable, message);
      }
      default:
        return Status(Code::kUnavailable, message);
    }
  }

  const std::string ca_file_;
  const std::function<bool()> stop_;
  Handle handle_;
  std::array<char, CURL_ERROR_SIZE> words_{};
};

HttpClient::HttpClient(std::string ca_file, std::function<bool()> stop)
    : impl_(std::make_unique<Impl>(std::move(ca_file), std::move(stop))) {}
HttpClient::~HttpClient() = default;

void HttpClient::KeepCookies() { impl_->KeepCookies(); }

Result<HttpAnswer> HttpClient::Post(const HttpPost& post) { return impl_->Post(post); }

}  // namespace sluice::delivery

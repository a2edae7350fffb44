// Texts, and the one place that knows that SerializationException has a capital Message.
#include "broker/api/aws/answers.h"

#include <fmt/format.h>

#include <string>

namespace sluice::broker::aws {

HttpResponse AccessDenied() {
  return {.status = 403,
          .fields = {},
          .body =
              "<AccessDeniedException>\n"
              "  <Message>Unable to determine service/operation name to be authorized</Message>\n"
              "</AccessDeniedException>\n"};
}

HttpResponse UnknownOperationXml() { return {.status = 404, .fields = {}, .body = "<UnknownOperationException/>\n"}; }

HttpResponse CoralError(std::string_view type, int status) {
  return {.status = status,
          .fields = {{"Content-Type", std::string(kPlainJson)}},
          .body = fmt::format(R"({{"Output":{{"__type":"com.amazon.coral.service#{}"}},"Version":"1.0"}})", type)};
}

HttpResponse ErrorAnswer(const protocol::aws::ApiError& error, protocol::aws::Encoding encoding) {
  const auto writer = protocol::aws::Writer::New(encoding);
  writer->BeginMap();
  writer->Name("__type").Text(error.type);
  if (!error.message.empty()) {
    writer->Name(error.type == "SerializationException" ? "Message" : "message").Text(error.message);
  }
  writer->EndMap();
  return {.status = error.http_status,
          .fields = {{"Content-Type", std::string(ContentTypeOf(encoding))}},
          .body = writer->Take()};
}

HttpResponse Preflight(const HttpRequest& request) {
  HttpResponse response;
  const std::string_view headers = request.Find("access-control-request-headers");
  const std::string_view method = request.Find("access-control-request-method");
  if (!headers.empty()) response.fields.push_back({"Access-Control-Allow-Headers", std::string(headers)});
  if (!method.empty()) response.fields.push_back({"Access-Control-Allow-Methods", std::string(method)});
  response.fields.push_back({"Access-Control-Max-Age", "172800"});
  return response;
}

}  // namespace sluice::broker::aws

// Texts, and the one place that knows that SerializationException has a capital Message.
#include "broker/api/aws/answers.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "protocol/aws/writer.h"

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
          .fields = {{"Content-Type", kPlainJson}},
          .body = fmt::format(R"({{"Output":{{"__type":"com.amazon.coral.service#{}"}},"Version":"1.0"}})", type)};
}

namespace {

HttpResponse Written(Wire wire, int status, std::string body) {
  HttpResponse response{.status = status, .fields = {{"Content-Type", ContentTypeOf(wire)}}, .body = std::move(body)};
  if (wire == Wire::kRpcCbor) response.fields.Add("smithy-protocol", "rpc-v2-cbor");
  return response;
}

std::string XmlText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string_view WhoseFault(const protocol::aws::ApiError& error) {
  return error.http_status < 500 ? "Sender" : "Receiver";
}

std::string XmlError(const protocol::aws::ApiError& error) {
  return fmt::format(
      "<ErrorResponse><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>\n",
      WhoseFault(error), XmlText(QueryCodeOf(error.type)), XmlText(error.message));
}

}  // namespace

protocol::aws::ApiError ErrorOf(HttpProblem problem) {
  switch (problem) {
    case HttpProblem::kMalformed:
      return {"MalformedHttpRequestException", "This is no request of HTTP.", 400};
    case HttpProblem::kTimedOut:
      return {"RequestTimeoutException", "The request did not come to its end in time.", 408};
    case HttpProblem::kHeaderTooLarge:
      return {"RequestHeaderSectionTooLargeException", "The header of the request is too large.", 431};
    case HttpProblem::kBodyTooLarge:
      return {"RequestEntityTooLargeException", "The body of the request is too large.", 413};
    case HttpProblem::kNoMemory:
    case HttpProblem::kNone:
      break;
  }
  return {"ServiceUnavailableException", "There is no memory for this request now; send it again later.", 503};
}

HttpResponse ErrorAnswer(const protocol::aws::ApiError& error, Wire wire) {
  if (!error.body.empty()) return Written(wire, error.http_status, error.body);
  if (wire == Wire::kQuery) return Written(wire, error.http_status, XmlError(error));
  const auto writer = protocol::aws::Writer::New(EncodingOf(wire));
  writer->BeginMap();
  writer->Name("__type").Text(ErrorTypeOf(wire, error.type));
  if (!error.message.empty()) {
    writer->Name(error.type == "SerializationException" ? "Message" : "message").Text(error.message);
  }
  writer->EndMap();
  return Written(wire, error.http_status, writer->Take());
}

void RefuseForMemory(HttpResponse& response) {
  const Wire wire = WireOf(response.fields.Find("Content-Type")).value_or(Wire::kJson11);
  HttpResponse refusal = ErrorAnswer(ErrorOf(HttpProblem::kNoMemory), wire);
  response.status = refusal.status;
  response.body = std::move(refusal.body);
}

std::string QueryErrorText(const protocol::aws::ApiError& error) {
  return fmt::format("{};{}", QueryCodeOf(error.type), WhoseFault(error));
}

HttpResponse OperationAnswer(Wire wire, const Service& service, std::string_view operation, std::string body) {
  if (wire == Wire::kQuery) {
    body = fmt::format("<{0}Response xmlns=\"{1}\"><ResponseMetadata/></{0}Response>\n", operation,
                       service.query.xml_namespace);
  }
  return Written(wire, 200, std::move(body));
}

HttpResponse Preflight(const HttpRequest& request) {
  HttpResponse response;
  const std::string_view headers = request.Find("access-control-request-headers");
  const std::string_view method = request.Find("access-control-request-method");
  if (!headers.empty()) response.fields.Add("Access-Control-Allow-Headers", headers);
  if (!method.empty()) response.fields.Add("Access-Control-Allow-Methods", method);
  response.fields.Add("Access-Control-Max-Age", "172800");
  return response;
}

}  // namespace sluice::broker::aws

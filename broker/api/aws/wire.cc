// One row for each way of writing, and finding the operation's name in it.
#include "broker/api/aws/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::broker::aws {
namespace {

struct Row {
  Wire wire;
  std::string_view content_type;
  protocol::aws::Encoding encoding;
};

using enum protocol::aws::Encoding;

constexpr std::array kRows = {
    Row{Wire::kJson11, kAmzJson, kJson},   Row{Wire::kCbor11, kAmzCbor, kCbor},
    Row{Wire::kJson10, kAmzJson10, kJson}, Row{Wire::kRpcCbor, kRpcCborType, kCbor},
    Row{Wire::kQuery, kFormType, kJson},
};

const Row& RowOf(Wire wire) { return *std::ranges::find(kRows, wire, &Row::wire); }

/// The first field of this name in a form; names and versions of operations have no escapes.
std::string_view FormField(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view field = form.substr(0, end);
    if (field.starts_with(name) && field.substr(name.size()).starts_with('=')) return field.substr(name.size() + 1);
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return {};
}

/// "/service/SERVICE/operation/NAME", behind any path.
std::string NameInPath(std::string_view path) {
  constexpr std::string_view kService = "/service/";
  constexpr std::string_view kOperation = "/operation/";
  const std::size_t service = path.rfind(kService);
  if (service == path.npos) return {};
  path.remove_prefix(service + kService.size());
  const std::size_t operation = path.find(kOperation);
  if (operation == path.npos) return {};
  return fmt::format("{}.{}", path.substr(0, operation), path.substr(operation + kOperation.size()));
}

}  // namespace

std::optional<Wire> WireOf(std::string_view media_type) {
  const auto* const row = std::ranges::find(kRows, media_type, &Row::content_type);
  if (row == kRows.end()) return std::nullopt;
  return row->wire;
}

std::string_view ContentTypeOf(Wire wire) { return wire == Wire::kQuery ? kXmlType : RowOf(wire).content_type; }

protocol::aws::Encoding EncodingOf(Wire wire) { return RowOf(wire).encoding; }

std::string OperationName(const HttpRequest& request, Wire wire, std::string_view body) {
  if (wire == Wire::kRpcCbor) return NameInPath(request.path);
  if (wire != Wire::kQuery) return std::string(request.Find("x-amz-target"));
  const std::string_view action = FormField(body, "Action");
  return action.empty() ? std::string() : fmt::format("{}.{}", FormField(body, "Version"), action);
}

std::string ErrorTypeOf(Wire wire, std::string_view type) {
  if (wire != Wire::kJson10 || type.contains('#')) return std::string(type);
  return fmt::format("com.amazon.coral.{}#{}", type == "ValidationException" ? "validate" : "service", type);
}

std::string_view QueryCodeOf(std::string_view type) {
  constexpr std::string_view kSuffix = "Exception";
  const std::size_t hash = type.find('#');
  if (hash == type.npos) return type;
  type.remove_prefix(hash + 1);
  if (type.ends_with(kSuffix)) type.remove_suffix(kSuffix.size());
  return type;
}

}  // namespace sluice::broker::aws

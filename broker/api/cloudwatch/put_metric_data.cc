// A request is taken whole or not at all. Times are not looked at: a metric counts when it comes.
//
// Numbers are text where the request is a form.
#include "broker/api/cloudwatch/put_metric_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <expected>
#include <optional>
#include <utility>
#include <vector>

namespace sluice::broker::cloudwatch {
namespace {

namespace api = protocol::aws;
using api::ApiError;
using api::Kind;
using api::Shape;
using api::Value;

template <typename T>
using ApiResult = std::expected<T, ApiError>;

constexpr std::int64_t kDimensionsMax = 30;
constexpr std::int64_t kNameMax = 255;
constexpr std::int64_t kDimensionValueMax = 1024;
constexpr std::int64_t kMetricsMax = 1'000;
constexpr std::size_t kValuesMax = 150;

const Shape& Input() {
  static const Shape any = Shape::Any();
  static const Shape text = Shape::Text();
  static const Shape name = Shape::Text().Length(1, kNameMax);
  static const Shape dimension_value = Shape::Text().Length(1, kDimensionValueMax);
  static const Shape dimension = Shape::Structure()
                                     .Member("Name", name, api::Required::kYes)
                                     .Member("Value", dimension_value, api::Required::kYes);
  static const Shape dimensions = Shape::List(dimension).Length(0, kDimensionsMax);
  static const Shape list = Shape::List(any);
  static const Shape statistics = Shape::Structure()
                                      .Member("SampleCount", any, api::Required::kYes)
                                      .Member("Sum", any, api::Required::kYes)
                                      .Member("Minimum", any, api::Required::kYes)
                                      .Member("Maximum", any, api::Required::kYes);
  static const Shape datum = Shape::Structure()
                                 .Member("MetricName", name, api::Required::kYes)
                                 .Member("Dimensions", dimensions)
                                 .Member("Value", any)
                                 .Member("StatisticValues", statistics)
                                 .Member("Values", list)
                                 .Member("Counts", list)
                                 .Member("Unit", text);
  static const Shape data = Shape::List(datum).Length(0, kMetricsMax);
  static const Shape shape =
      Shape::Structure().Member("Namespace", name, api::Required::kYes).Member("MetricData", data);
  return shape;
}

ApiError Invalid(std::string message) {
  return {"com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException", std::move(message)};
}

/// A finite number, in whatever form it came.
ApiResult<double> NumberOf(Value value) {
  double number = NAN;
  if (value.kind() == Kind::kInteger) number = static_cast<double>(value.integer());
  if (value.kind() == Kind::kReal) number = value.real();
  if (value.kind() == Kind::kText) {
    const std::string_view text = value.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) number = NAN;
  }
  if (std::isfinite(number)) return number;
  return std::unexpected(Invalid("A value of a metric is no number, or no finite one."));
}

ApiResult<std::vector<double>> NumbersOf(Value datum, std::string_view member) {
  std::vector<double> numbers;
  const auto list = datum.Find(member);
  if (!list) return numbers;
  if (list->size() > kValuesMax) {
    return std::unexpected(Invalid(fmt::format("{} has more than {} elements.", member, kValuesMax)));
  }
  for (const auto [unnamed, element] : list->children()) {
    const auto number = NumberOf(element);
    if (!number) return std::unexpected(number.error());
    numbers.push_back(*number);
  }
  return numbers;
}

/// Values, each as often as Counts says.
ApiResult<Statistics> StatisticsOfValues(Value datum) {
  const auto values = NumbersOf(datum, "Values");
  if (!values) return std::unexpected(values.error());
  const auto counts = NumbersOf(datum, "Counts");
  if (!counts) return std::unexpected(counts.error());
  if (values->empty())
    return std::unexpected(
        Invalid("At least one of the parameters Value, Values and StatisticValues must be specified."));
  if (!counts->empty() && counts->size() != values->size()) {
    return std::unexpected(Invalid("The parameters Values and Counts must be of the same size."));
  }
  const auto [least, greatest] = std::ranges::minmax(*values);
  Statistics statistics{.least = least, .greatest = greatest};
  for (std::size_t i = 0; i < values->size(); ++i) {
    const double count = counts->empty() ? 1 : (*counts)[i];
    statistics.samples += count;
    statistics.sum += (*values)[i] * count;
  }
  return statistics;
}

ApiResult<Statistics> StatisticsOfSet(Value set) {
  double numbers[4] = {};
  constexpr std::string_view kNames[4] = {"SampleCount", "Sum", "Minimum", "Maximum"};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto number = NumberOf(*set.Find(kNames[i]));
    if (!number) return std::unexpected(number.error());
    numbers[i] = *number;
  }
  return Statistics{.samples = numbers[0], .sum = numbers[1], .least = numbers[2], .greatest = numbers[3]};
}

ApiResult<Statistics> StatisticsOf(Value datum) {
  ApiResult<Statistics> statistics;
  if (const auto set = datum.Find("StatisticValues")) {
    statistics = StatisticsOfSet(*set);
  } else if (const auto value = datum.Find("Value")) {
    const auto number = NumberOf(*value);
    if (!number) return std::unexpected(number.error());
    return Statistics{.samples = 1, .sum = *number, .least = *number, .greatest = *number};
  } else {
    statistics = StatisticsOfValues(datum);
  }
  if (!statistics) return statistics;
  if (statistics->samples < 0 || !std::isfinite(statistics->samples) || !std::isfinite(statistics->sum)) {
    return std::unexpected(Invalid("The number of values is negative, or their sum no finite number."));
  }
  return statistics;
}

SeriesName NameOf(std::string_view metric_namespace, Value datum) {
  std::vector<std::pair<std::string_view, std::string_view>> dimensions;
  if (const auto list = datum.Find("Dimensions")) {
    for (const auto [unnamed, dimension] : list->children()) {
      if (dimension.kind() != Kind::kMap) continue;
      dimensions.emplace_back(dimension.Find("Name")->text(), dimension.Find("Value")->text());
    }
  }
  std::ranges::sort(dimensions);
  const auto unit = datum.Find("Unit");
  return NameSeries(metric_namespace, datum.Find("MetricName")->text(), unit ? unit->text() : "None", dimensions);
}

std::optional<ApiError> Put(MetricTable& metrics, Value input) {
  const std::string_view metric_namespace = input.Find("Namespace")->text();
  std::vector<std::pair<SeriesName, Statistics>> data;
  const auto list = input.Find("MetricData");
  if (!list) return std::nullopt;
  for (const auto [unnamed, datum] : list->children()) {
    if (datum.kind() != Kind::kMap) continue;
    auto statistics = StatisticsOf(datum);
    if (!statistics) return std::move(statistics.error());
    data.emplace_back(NameOf(metric_namespace, datum), *statistics);
  }
  for (const auto& [name, statistics] : data) metrics.Add(name, statistics);
  return std::nullopt;
}

}  // namespace

aws::Operation PutMetricData(MetricTable& metrics) {
  return {.name = "PutMetricData", .input = Input, .run = [&metrics](const aws::CallPtr& call) {
            if (auto error = Put(metrics, call->input())) return call->Fail(std::move(*error));
            call->Answer({});
          }};
}

}  // namespace sluice::broker::cloudwatch

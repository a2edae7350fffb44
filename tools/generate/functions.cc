// Each function looks at its arguments once, and gives what is called for each record.
#include "tools/generate/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "protocol/suggest.h"
#include "tools/generate/moment_format.h"
#include "tools/generate/words.h"

namespace sluice::tools {
namespace {

using boost::json::array;
using boost::json::value;
using Call = TemplateCall;
using Binder = std::function<Result<Call>(const array&)>;

std::unexpected<Status> Wrong(std::string text) { return Error(Code::kInvalidArgument, std::move(text)); }

/// What stands in the record for a JSON value: strings without quotes.
std::string TextOf(const value& from) {
  return from.is_string() ? std::string(from.get_string()) : boost::json::serialize(from);
}

std::optional<double> NumberOf(const value& from) {
  boost::system::error_code error;
  const double number = from.is_number() ? from.to_number<double>(error) : 0;
  if (!from.is_number() || error) return std::nullopt;
  return number;
}

/// The number of that name in the object that the first argument is, or `preset`.
Result<double> Option(const array& arguments, std::string_view name, double preset) {
  const auto* const options = arguments.empty() ? nullptr : arguments.front().if_object();
  const value* const given = options == nullptr ? nullptr : options->if_contains(name);
  if (given == nullptr) return preset;
  const auto number = NumberOf(*given);
  if (!number) return Wrong(fmt::format("'{}' is not a number", name));
  return *number;
}

std::string_view Word(RenderContext& context, WordList list) { return context.random.Pick(WordsOf(list)); }

std::string LowerWord(RenderContext& context, WordList list) {
  std::string word(Word(context, list));
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return word;
}

void AppendCharacters(RenderContext& context, std::string& out, std::string_view alphabet, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out.push_back(context.random.Pick(std::span<const char>(alphabet)));
}

// ---- functions with arguments ---------------------------------------------------------------------------------------

/// How many a step needs: 2 of 0.25 and of 0.01.
int DecimalsOf(double step) {
  constexpr int kDecimalsMax = 15;  // of a third
  int decimals = 0;
  while (decimals < kDecimalsMax && std::abs(step - std::round(step)) > 1e-9 * step) {
    step *= 10;
    ++decimals;
  }
  return decimals;
}

/// As faker's: whole numbers from 0 to 99,999 unless min, max and the step (precision) say otherwise.
Result<Call> Number(const array& arguments, double preset_precision) {
  double max = 99'999;
  if (!arguments.empty() && !arguments.front().is_object()) {
    const auto number = NumberOf(arguments.front());
    if (!number) return Wrong("it takes a number or an object with min, max and precision");
    max = *number;
  }
  const auto first = Option(arguments, "min", 0);
  const auto last = Option(arguments, "max", max);
  const auto step = Option(arguments, "precision", preset_precision);
  for (const auto* number : {&first, &last, &step}) {
    if (!*number) return std::unexpected(number->error());
  }
  if (*last < *first) return Wrong(fmt::format("max {} is below min {}", *last, *first));
  if (*step <= 0 || (*last - *first) / *step > 9e15) return Wrong("the precision is not above 0, or too fine");
  const auto steps = static_cast<std::uint64_t>(std::floor((*last - *first) / *step + 1e-9)) + 1;
  const int decimals = DecimalsOf(*step);
  return [min = *first, step = *step, steps, decimals](RenderContext& context, std::string& out) {
    const double number = min + step * static_cast<double>(context.random.Below(steps));
    fmt::format_to(std::back_inserter(out), "{:.{}f}", number, decimals);
  };
}

Result<std::vector<std::string>> Texts(const value& from) {
  const array* const list = from.if_array();
  if (list == nullptr || list->empty()) return Wrong("it takes an array with at least one element");
  std::vector<std::string> texts;
  for (const value& element : *list) texts.push_back(TextOf(element));
  return texts;
}

Result<Call> ArrayElement(const array& arguments) {
  auto texts = arguments.empty() ? Wrong("it takes an array with at least one element") : Texts(arguments.front());
  if (!texts) return std::unexpected(texts.error());
  return [texts = std::move(*texts)](RenderContext& context, std::string& out) {
    out.append(context.random.Pick(std::span<const std::string>(texts)));
  };
}

Result<Call> WeightedArrayElement(const array& arguments) {
  const auto* const options = arguments.empty() ? nullptr : arguments.front().if_object();
  const value* const weights = options == nullptr ? nullptr : options->if_contains("weights");
  const value* const data = options == nullptr ? nullptr : options->if_contains("data");
  if (weights == nullptr || data == nullptr || !weights->is_array())
    return Wrong("it takes an object with weights and data");
  auto texts = Texts(*data);
  if (!texts) return std::unexpected(texts.error());
  if (weights->get_array().size() != texts->size()) {
    return Wrong(fmt::format("there are {} weights for {} elements", weights->get_array().size(), texts->size()));
  }
  std::vector<double> sums;
  for (const value& weight : weights->get_array()) {
    const auto number = NumberOf(weight);
    if (!number || *number < 0) return Wrong("a weight is not a number from 0");
    sums.push_back(*number + (sums.empty() ? 0 : sums.back()));
  }
  if (sums.back() <= 0) return Wrong("all weights are 0");
  return [texts = std::move(*texts), sums = std::move(sums)](RenderContext& context, std::string& out) {
    const double point = context.random.Fraction() * sums.back();
    out.append(texts[static_cast<std::size_t>(std::ranges::upper_bound(sums, point) - sums.begin())]);
  };
}

Result<std::size_t> Count(const array& arguments, std::size_t preset) {
  if (arguments.empty()) return preset;
  const auto number = NumberOf(arguments.front());
  if (!number || *number < 1 || *number > 10'000) return Wrong("it takes a number from 1 to 10000");
  return static_cast<std::size_t>(*number);
}

Result<Call> AlphaNumeric(const array& arguments) {
  const auto count = Count(arguments, 1);
  if (!count) return std::unexpected(count.error());
  return [count = *count](RenderContext& context, std::string& out) {
    AppendCharacters(context, out, "0123456789abcdefghijklmnopqrstuvwxyz", count);
  };
}

Result<Call> Words(const array& arguments, std::size_t preset) {
  const auto count = Count(arguments, preset);
  if (!count) return std::unexpected(count.error());
  return [count = *count](RenderContext& context, std::string& out) {
    for (std::size_t i = 0; i < count; ++i) out.append(i == 0 ? "" : " ").append(Word(context, WordList::kLatin));
  };
}

enum class Clock { kLocal, kUtc, kSimulated };

Result<Call> Date(const array& arguments, Clock clock, std::int64_t shift_ms_max = 0) {
  if (!arguments.empty() && !arguments.front().is_string())
    return Wrong("it takes a format, such as \"YYYY-MM-DD HH:mm:ss\"");
  return [format = arguments.empty() ? std::string() : TextOf(arguments.front()), clock, shift_ms_max](
             RenderContext& context, std::string& out) {
    std::int64_t time_ms = clock == Clock::kSimulated ? context.simulated_ms : context.now_ms;
    if (shift_ms_max > 0) time_ms += context.random.Between(1, shift_ms_max);
    if (shift_ms_max < 0) time_ms -= context.random.Between(1, -shift_ms_max);
    const int offset = clock == Clock::kUtc ? 0 : LocalOffsetMinutes(time_ms);
    out.append(FormatMoment(CivilTimeAt(time_ms, offset), format));
  };
}

// ---- functions without arguments ------------------------------------------------------------------------------------

void Uuid(RenderContext& context, std::string& out) {
  const std::uint64_t high = (context.random.Next() & ~0xF000ull) | 0x4000ull;
  const std::uint64_t low = (context.random.Next() & ~(3ull << 62)) | (2ull << 62);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                 high & 0xFFFF, low >> 48, low & 0xFFFF'FFFF'FFFF);
}

void Ip(RenderContext& context, std::string& out) {
  for (int i = 0; i < 4; ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ".", context.random.Below(256));
}

void Ipv6(RenderContext& context, std::string& out) {
  for (int i = 0; i < 8; ++i)
    fmt::format_to(std::back_inserter(out), "{}{:04x}", i == 0 ? "" : ":", context.random.Below(0x10000));
}

void Mac(RenderContext& context, std::string& out) {
  for (int i = 0; i < 6; ++i)
    fmt::format_to(std::back_inserter(out), "{}{:02x}", i == 0 ? "" : ":", context.random.Below(256));
}

void DomainName(RenderContext& context, std::string& out) {
  out.append(LowerWord(context, WordList::kLastNames)).append(".").append(Word(context, WordList::kDomainEndings));
}

void UserName(RenderContext& context, std::string& out) {
  out.append(LowerWord(context, WordList::kFirstNames));
  fmt::format_to(std::back_inserter(out), "{}", context.random.Below(1000));
}

void Email(RenderContext& context, std::string& out) {
  UserName(context, out);
  out.push_back('@');
  DomainName(context, out);
}

void Url(RenderContext& context, std::string& out) {
  out.append("https://");
  DomainName(context, out);
}

void FullName(RenderContext& context, std::string& out) {
  out.append(Word(context, WordList::kFirstNames)).append(" ").append(Word(context, WordList::kLastNames));
}

void Digits(RenderContext& context, std::string& out, std::string_view pattern) {
  for (const char c : pattern) out.push_back(c == '#' ? static_cast<char>('0' + context.random.Below(10)) : c);
}

void StreetName(RenderContext& context, std::string& out) {
  out.append(Word(context, WordList::kLastNames)).append(" ").append(Word(context, WordList::kStreetEndings));
}

void StreetAddress(RenderContext& context, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{} ", context.random.Between(1, 999));
  StreetName(context, out);
}

void CompanyName(RenderContext& context, std::string& out) {
  out.append(Word(context, WordList::kLastNames)).append(" ").append(Word(context, WordList::kCompanyEndings));
}

void ProductName(RenderContext& context, std::string& out) {
  out.append(Word(context, WordList::kAdjectives)).append(" ").append(Word(context, WordList::kMaterials)).append(" ");
  out.append(Word(context, WordList::kProducts));
}

void Decimal(RenderContext& context, std::string& out, double first, double last, int decimals) {
  fmt::format_to(std::back_inserter(out), "{:.{}f}", first + context.random.Fraction() * (last - first), decimals);
}

void Sentence(RenderContext& context, std::string& out) {
  std::string words;
  const std::uint64_t count = 4 + context.random.Below(7);
  for (std::uint64_t i = 0; i < count; ++i) words.append(i == 0 ? "" : " ").append(Word(context, WordList::kLatin));
  words.front() = static_cast<char>(words.front() - 'a' + 'A');
  out.append(words).push_back('.');
}

void FileName(RenderContext& context, std::string& out) {
  out.append(Word(context, WordList::kLatin)).append("_").append(Word(context, WordList::kLatin)).append(".");
  out.append(Word(context, WordList::kFileExtensions));
}

// ---- the table ------------------------------------------------------------------------------------------------------

using Plain = void (*)(RenderContext&, std::string&);

/// Arguments are passed over, as faker.js does.
Binder Simple(Plain function) {
  return [function](const array&) -> Result<Call> { return Call(function); };
}

Binder OneOf(WordList list) {
  return [list](const array&) -> Result<Call> {
    return [list](RenderContext& context, std::string& out) { out.append(Word(context, list)); };
  };
}

Binder Between(double first, double last, int decimals) {
  return [=](const array&) -> Result<Call> {
    return [=](RenderContext& context, std::string& out) { Decimal(context, out, first, last, decimals); };
  };
}

Binder Pattern(std::string_view pattern) {
  return [=](const array&) -> Result<Call> {
    return [=](RenderContext& context, std::string& out) { Digits(context, out, pattern); };
  };
}

Binder OfClock(Clock clock, std::int64_t shift_ms_max = 0) {
  return [=](const array& arguments) { return Date(arguments, clock, shift_ms_max); };
}

constexpr std::int64_t kYearMs = 365ll * 24 * 3600 * 1000;
constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

void AddRandomFunctions(std::map<std::string, Binder, std::less<>>& table) {
  table["random.number"] = [](const array& arguments) { return Number(arguments, 1); };
  table["random.float"] = [](const array& arguments) { return Number(arguments, 0.01); };
  table["random.arrayElement"] = ArrayElement;
  table["random.weightedArrayElement"] = WeightedArrayElement;
  table["random.alphaNumeric"] = AlphaNumeric;
  table["random.uuid"] = Simple(Uuid);
  table["random.boolean"] = Simple(
      [](RenderContext& context, std::string& out) { out.append(context.random.Below(2) == 0 ? "false" : "true"); });
  table["random.word"] = [](const array& arguments) { return Words(arguments, 1); };
  table["random.words"] = [](const array& arguments) { return Words(arguments, 3); };
  table["lorem.word"] = table["random.word"];
  table["lorem.words"] = table["random.words"];
  table["lorem.sentence"] = Simple(Sentence);
}

void AddPeopleAndPlaces(std::map<std::string, Binder, std::less<>>& table) {
  table["name.firstName"] = OneOf(WordList::kFirstNames);
  table["name.lastName"] = OneOf(WordList::kLastNames);
  table["name.findName"] = Simple(FullName);
  table["name.prefix"] = OneOf(WordList::kNamePrefixes);
  table["name.suffix"] = OneOf(WordList::kNameSuffixes);
  table["name.title"] = table["name.jobTitle"] = OneOf(WordList::kJobTitles);
  table["phone.phoneNumber"] = Pattern("555-###-####");
  table["address.city"] = OneOf(WordList::kCities);
  table["address.state"] = OneOf(WordList::kStates);
  table["address.stateAbbr"] = OneOf(WordList::kStateCodes);
  table["address.country"] = OneOf(WordList::kCountries);
  table["address.countryCode"] = OneOf(WordList::kCountryCodes);
  table["address.zipCode"] = Pattern("#####");
  table["address.streetName"] = Simple(StreetName);
  table["address.streetAddress"] = Simple(StreetAddress);
  table["address.latitude"] = Between(-90, 90, 4);
  table["address.longitude"] = Between(-180, 180, 4);
}

void AddGoodsAndMachines(std::map<std::string, Binder, std::less<>>& table) {
  table["company.companyName"] = Simple(CompanyName);
  table["commerce.product"] = OneOf(WordList::kProducts);
  table["commerce.productName"] = Simple(ProductName);
  table["commerce.productAdjective"] = OneOf(WordList::kAdjectives);
  table["commerce.productMaterial"] = OneOf(WordList::kMaterials);
  table["commerce.department"] = OneOf(WordList::kDepartments);
  table["commerce.color"] = OneOf(WordList::kColors);
  table["commerce.price"] = Between(1, 1000, 2);
  table["finance.amount"] = Between(0, 1000, 2);
  table["finance.account"] = Pattern("########");
  table["finance.currencyCode"] = OneOf(WordList::kCurrencyCodes);
  table["internet.ip"] = Simple(Ip);
  table["internet.ipv6"] = Simple(Ipv6);
  table["internet.mac"] = Simple(Mac);
  table["internet.email"] = Simple(Email);
  table["internet.userName"] = Simple(UserName);
  table["internet.domainName"] = Simple(DomainName);
  table["internet.url"] = Simple(Url);
  table["internet.userAgent"] = OneOf(WordList::kBrowsers);
  table["internet.protocol"] = Simple(
      [](RenderContext& context, std::string& out) { out.append(context.random.Below(2) == 0 ? "http" : "https"); });
  table["internet.color"] = Simple([](RenderContext& context, std::string& out) {
    fmt::format_to(std::back_inserter(out), "#{:06x}", context.random.Below(1 << 24));
  });
  table["system.fileName"] = Simple(FileName);
  table["system.fileExt"] = OneOf(WordList::kFileExtensions);
  table["system.mimeType"] = OneOf(WordList::kMimeTypes);
}

void AddDates(std::map<std::string, Binder, std::less<>>& table) {
  table["date.now"] = OfClock(Clock::kLocal);
  table["date.utc"] = OfClock(Clock::kUtc);
  table["date.simTime"] = OfClock(Clock::kSimulated);
  table["date.past"] = OfClock(Clock::kUtc, -kYearMs);
  table["date.future"] = OfClock(Clock::kUtc, kYearMs);
  table["date.recent"] = OfClock(Clock::kUtc, -kDayMs);
  table["date.month"] = Simple([](RenderContext& context, std::string& out) {
    out.append(context.random.Pick(std::span<const std::string_view>(kMonthNames)));
  });
  table["date.weekday"] = Simple([](RenderContext& context, std::string& out) {
    out.append(context.random.Pick(std::span<const std::string_view>(kWeekdayNames)));
  });
  table["current.timestamp"] = Simple(
      [](RenderContext& context, std::string& out) { fmt::format_to(std::back_inserter(out), "{}", context.now_ms); });
}

const std::map<std::string, Binder, std::less<>>& Table() {
  static const auto table = [] {
    std::map<std::string, Binder, std::less<>> made;
    AddRandomFunctions(made);
    AddPeopleAndPlaces(made);
    AddGoodsAndMachines(made);
    AddDates(made);
    return made;
  }();
  return table;
}

}  // namespace

std::vector<std::string> TemplateFunctionNames() {
  std::vector<std::string> names;
  for (const auto& [name, binder] : Table()) names.push_back(name);
  return names;
}

Result<TemplateCall> BindTemplateFunction(std::string_view name, const array& arguments) {
  const auto found = Table().find(name);
  if (found == Table().end()) {
    return Error(Code::kNotFound,
                 fmt::format("there is no function '{}'{}", name, protocol::DidYouMean(name, TemplateFunctionNames())));
  }
  auto call = found->second(arguments);
  if (!call) return std::unexpected(call.error().WithContext(fmt::format("'{}'", name)));
  return call;
}

}  // namespace sluice::tools

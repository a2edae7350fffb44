// The words. Each list stands alone: a city need not lie in the state beside it.
#include "tools/generate/words.h"

#include <string_view>

namespace sluice::tools {
namespace {

using Words = std::string_view;

constexpr Words kFirst[] = {"Ada",   "Amir", "Anna",  "Boris", "Carla", "Chen",  "David", "Elena", "Emma",  "Farid",
                            "Grace", "Hana", "Ivan",  "Jonas", "Julia", "Karim", "Laura", "Lina",  "Marco", "Mei",
                            "Nina",  "Omar", "Paula", "Pedro", "Ravi",  "Rosa",  "Sam",   "Sofia", "Tom",   "Yuki"};
constexpr Words kLast[] = {"Adler",  "Baker",  "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ito",
                           "Jansen", "Kaya",   "Lopez", "Mayer",  "Novak", "Olsen",   "Patel",  "Quinn",  "Rossi",
                           "Silva",  "Tanaka", "Ueda",  "Vogel",  "Walsh", "Xu",      "Young",  "Zimmer"};
constexpr Words kPrefixes[] = {"Mr.", "Mrs.", "Ms.", "Dr."};
constexpr Words kSuffixes[] = {"Jr.", "Sr.", "II", "III", "PhD", "MD"};
constexpr Words kJobs[] = {"Accountant", "Analyst", "Architect", "Baker",   "Carpenter", "Editor",
                           "Engineer",   "Manager", "Nurse",     "Planner", "Technician"};
constexpr Words kCityNames[] = {"Aachen", "Bergen",  "Cordoba", "Dublin", "Esbjerg", "Florence",
                                "Geneva", "Hanoi",   "Izmir",   "Jaipur", "Kyoto",   "Lyon",
                                "Malmo",  "Nairobi", "Osaka",   "Porto",  "Quito",   "Riga"};
constexpr Words kStreets[] = {"Street", "Avenue", "Road", "Lane", "Square", "Way", "Court"};
constexpr Words kStateNames[] = {"Alaska", "Arizona", "California", "Florida", "Georgia",  "Hawaii", "Illinois",
                                 "Kansas", "Maine",   "Montana",    "Nevada",  "New York", "Ohio",   "Texas"};
constexpr Words kStateShort[] = {"AK", "AZ", "CA", "FL", "GA", "HI", "IL", "KS", "ME", "MT", "NV", "NY", "OH", "TX"};
constexpr Words kCountryNames[] = {"Argentina", "Brazil", "Canada", "Denmark", "Egypt",    "France", "Germany",
                                   "India",     "Japan",  "Kenya",  "Mexico",  "Portugal", "Spain",  "Vietnam"};
constexpr Words kCountryShort[] = {"AR", "BR", "CA", "DK", "EG", "FR", "DE", "IN", "JP", "KE", "MX", "PT", "ES", "VN"};
constexpr Words kDomains[] = {"com", "net", "org", "info", "io"};
constexpr Words kAgents[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Safari/605.1.15",
    "curl/8.5.0"};
constexpr Words kColorNames[] = {"red",  "orange", "yellow", "green", "teal",
                                 "blue", "violet", "black",  "white", "grey"};
constexpr Words kGoods[] = {"Chair", "Table", "Lamp", "Shirt", "Shoes", "Keyboard", "Mouse", "Bike", "Ball", "Soap"};
constexpr Words kKinds[] = {"Small", "Sleek", "Rustic", "Modern", "Practical", "Handmade", "Light", "Sturdy"};
constexpr Words kStuffs[] = {"Wooden", "Steel", "Cotton", "Granite", "Rubber", "Plastic", "Concrete"};
constexpr Words kParts[] = {"Books", "Clothing", "Electronics", "Garden", "Grocery", "Home", "Music", "Sports", "Toys"};
constexpr Words kCompanies[] = {"Inc", "LLC", "Group", "and Sons", "Ltd"};
constexpr Words kCurrencies[] = {"AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "INR", "JPY", "SEK", "USD"};
constexpr Words kLatinWords[] = {"lorem", "ipsum", "dolor", "sit",    "amet",   "sed",    "tempor",  "labore",
                                 "magna", "enim",  "minim", "veniam", "quis",   "nisi",   "aliquip", "commodo",
                                 "duis",  "aute",  "irure", "velit",  "cillum", "fugiat", "nulla",   "sint"};
constexpr Words kExtensions[] = {"csv", "gif", "html", "jpg", "json", "log", "pdf", "png", "txt", "xml", "zip"};
constexpr Words kMimes[] = {"application/json", "application/pdf", "image/png", "text/csv", "text/html", "text/plain"};

}  // namespace

std::span<const std::string_view> WordsOf(WordList list) {
  switch (list) {
    case WordList::kFirstNames:
      return kFirst;
    case WordList::kLastNames:
      return kLast;
    case WordList::kNamePrefixes:
      return kPrefixes;
    case WordList::kNameSuffixes:
      return kSuffixes;
    case WordList::kJobTitles:
      return kJobs;
    case WordList::kCities:
      return kCityNames;
    case WordList::kStreetEndings:
      return kStreets;
    case WordList::kStates:
      return kStateNames;
    case WordList::kStateCodes:
      return kStateShort;
    case WordList::kCountries:
      return kCountryNames;
    case WordList::kCountryCodes:
      return kCountryShort;
    case WordList::kDomainEndings:
      return kDomains;
    case WordList::kBrowsers:
      return kAgents;
    case WordList::kColors:
      return kColorNames;
    case WordList::kProducts:
      return kGoods;
    case WordList::kAdjectives:
      return kKinds;
    case WordList::kMaterials:
      return kStuffs;
    case WordList::kDepartments:
      return kParts;
    case WordList::kCompanyEndings:
      return kCompanies;
    case WordList::kCurrencyCodes:
      return kCurrencies;
    case WordList::kLatin:
      return kLatinWords;
    case WordList::kFileExtensions:
      return kExtensions;
    case WordList::kMimeTypes:
      return kMimes;
  }
  return {};
}

}  // namespace sluice::tools

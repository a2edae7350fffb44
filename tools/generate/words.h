// Small vocabularies for names, places and goods. Values only.
#pragma once

#include <span>
#include <string_view>

namespace sluice::tools {

enum class WordList {
  kFirstNames,
  kLastNames,
  kNamePrefixes,
  kNameSuffixes,
  kJobTitles,
  kCities,
  kStreetEndings,
  kStates,
  kStateCodes,
  kCountries,
  kCountryCodes,
  kDomainEndings,
  kBrowsers,
  kColors,
  kProducts,
  kAdjectives,
  kMaterials,
  kDepartments,
  kCompanyEndings,
  kCurrencyCodes,
  kLatin,
  kFileExtensions,
  kMimeTypes,
};

std::span<const std::string_view> WordsOf(WordList list);

}  // namespace sluice::tools

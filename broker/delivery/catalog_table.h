// SchemaConfiguration of a conversion as it was given: the table of a catalog that a delivery stream's records are to
// fit. Kept to be told, in configurations and in error records.
//
// Values only; thread-safe.
#pragma once

#include <string>

namespace sluice::delivery {

struct CatalogTable {
  std::string table;
  std::string role_arn = {};  // this and the next ones: empty where it is not given
  std::string catalog_id = {};
  std::string database = {};
  std::string region = {};
  std::string version_id = {};
  friend bool operator==(const CatalogTable&, const CatalogTable&) = default;
};

}  // namespace sluice::delivery

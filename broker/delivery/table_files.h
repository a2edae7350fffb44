// Columns that stand in a table of AWS Glue: read out of files, as `aws glue get-table` prints them, when a delivery
// stream is made or changed. They become part of its configuration, so that the file may go.
// Threads: pure functions over what `read` reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// The bytes of the file at a path; kNotFound where there is none.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// Fills the columns of a configuration that names a table: of Sluice.TableFile, relative to the document that names
/// it; of a Glue table out of the folder `tables_dir`, where DATABASE.TABLE.json or DATABASE/TABLE.json is looked for,
/// in small letters too. Nothing for one that names none. kInvalidArgument names document, file and column.
Status ReadTable(DeliveryConfig& config, std::string_view document_name, const std::string& tables_dir,
                 const FileReader& read);

/// "DATABASE.TABLE": false where there is no such file's name.
bool IsGlueTable(std::string_view table);

}  // namespace sluice::delivery

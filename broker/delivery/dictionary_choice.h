// Which leaf columns of a Parquet file are worth a dictionary, judged by the first batch of rows.
//
// Dictionary encoding hashes every value and keeps the distinct ones; on columns of mostly distinct values (ids,
// messages) it costs more than all else and falls back in the end. The choice depends on the rows only, so the same
// rows give the same file.
#pragma once

#include <vector>

namespace arrow {
class RecordBatch;
}

namespace sluice::delivery {

/// One answer a leaf, in the order of the Parquet file's columns (depth first).
std::vector<bool> ChooseDictionaries(const arrow::RecordBatch& rows);

}  // namespace sluice::delivery

// A new columnar format is one case more.
#include "broker/delivery/converted_object_writer.h"

#include "broker/delivery/orc_object_writer.h"
#include "broker/delivery/parquet_object_writer.h"
#include "protocol/check.h"

namespace sluice::delivery {

Result<std::unique_ptr<ObjectWriter>> NewConvertedObjectWriter(const DeliveryConfig& config, const Schema& schema,
                                                               ObjectSink& sink) {
  switch (config.format) {
    case ConvertedFormat::kParquet:
      return NewParquetObjectWriter(config.parquet, schema, config.converter, sink);
    case ConvertedFormat::kOrc:
      return NewOrcObjectWriter(config.orc, schema, config.converter, sink);
  }
  SLUICE_CHECK(false);
}

}  // namespace sluice::delivery

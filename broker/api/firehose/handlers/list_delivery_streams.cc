// ListDeliveryStreams: a page of the names.
#include <algorithm>

#include "broker/api/aws/arguments.h"
#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/draft.h"
#include "broker/api/firehose/handlers/operations.h"
#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::int64_t kPageDefault = 10;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure()
                                                .Member("Limit", PageSizeShape())
                                                .Member("DeliveryStreamType", TypeShape())
                                                .Member("ExclusiveStartDeliveryStreamName", NameShape());
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const std::string_view type = TextOf(call, "DeliveryStreamType");
  const std::string_view start = TextOf(call, "ExclusiveStartDeliveryStreamName");
  std::vector<DeliveryInfoPtr> page = AllDeliveries(context);
  std::erase_if(page, [&](const DeliveryInfoPtr& info) {
    return info->name <= start || (!type.empty() && type != (info->direct_put ? kDirectPutType : kKinesisType));
  });
  const auto limit = static_cast<std::size_t>(IntegerOf(call, "Limit").value_or(kPageDefault));
  const bool more = page.size() > limit;
  if (more) page.resize(limit);
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("DeliveryStreamNames").BeginList();
  for (const DeliveryInfoPtr& info : page) writer->Text(info->name);
  writer->EndList();
  writer->Name("HasMoreDeliveryStreams").Boolean(more);
  writer->EndMap();
  return writer->Take();
}

}  // namespace

// On the blocking pool, as there may be very many.
aws::Operation ListDeliveryStreams(const Context& context) {
  return {"ListDeliveryStreams", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::firehose

// Everything that storage/ reads from its files before it trusts a checksum: journal file and group headers, segment
// headers and names, indexes, checkpoints. What is decoded stays within the limits that the readers rely on.
#include <string>

#include "storage/checkpoint.h"
#include "storage/journal_format.h"
#include "storage/segment_format.h"
#include "storage/sparse_index.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::storage {
namespace {

void CheckGroup(std::string_view input) {
  const auto parsed = ParseGroupHeader(input);
  const auto verified = VerifyGroupHeader(input);
  SLUICE_CHECK(!verified || parsed.has_value());
  if (!parsed) return;
  SLUICE_CHECK(parsed->bytes >= kBlockHeaderBytes + parsed->index_bytes());
  if (!verified) return;
  SLUICE_CHECK(input.size() >= kBlockHeaderBytes + verified->index_bytes());
  for (std::uint32_t i = 0; i < verified->frame_count; ++i) {
    (void)DecodeGroupEntry(input.data() + kBlockHeaderBytes + i * kGroupEntryBytes);
  }
}

void CheckIndex(std::string_view input) {
  const SegmentName name{{StreamId(1), ShardIndex(0)}, Offset(0)};
  const Offset end(1000);
  const auto index = SparseIndex::Decode(input, name, end);
  if (!index || index->empty()) return;
  SLUICE_CHECK(index->Find(index->first()).offset == index->first());
  SLUICE_CHECK(index->Find(end).offset <= end);
  SLUICE_CHECK(SparseIndex::Decode(index->Encode(name, end), name, end).has_value());
}

void CheckSegment(std::string_view input) {
  if (const auto header = DecodeSegmentHeader(input)) {
    SLUICE_CHECK(DecodeSegmentHeader(EncodeSegmentHeader(*header)).has_value());
  }
  if (const auto name = ParseSegmentFileName(input)) SLUICE_CHECK(ToFileName(*name) == input);
}

}  // namespace
}  // namespace sluice::storage

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::storage;
  const std::string_view input = sluice::fuzz::Input(data, size);
  if (const auto header = DecodeJournalFileHeader(input)) {
    SLUICE_CHECK(DecodeJournalFileHeader(EncodeJournalFileHeader(*header)).has_value());
  }
  CheckGroup(input);
  CheckSegment(input);
  CheckIndex(input);
  (void)DecodeCheckpoint(input);
  return 0;
}

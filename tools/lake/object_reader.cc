// Opens an object as Parquet or ORC where its bytes say so, else as records.
#include "tools/lake/object_reader.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "tools/lake/columnar_reader.h"
#include "tools/lake/record_object.h"

namespace sluice::tools {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::string_view kOrcMagic = "ORC";

class RecordReader : public ObjectReader {
 public:
  explicit RecordReader(RecordObject object) : object_(std::move(object)) {}

  std::string format() const override { return object_.format; }
  std::string metadata() const override { return object_.metadata; }
  std::vector<std::pair<std::string, std::string>> columns(TypeWords /*words*/) const override { return {}; }

  std::uint64_t rows() override {
    std::uint64_t rows = 0;
    std::string_view rest = object_.text;
    while (!TakeRecord(rest).empty()) ++rows;
    return rows;
  }

  Status ForEachRow(const TakeRow& take) override {
    std::string_view rest = object_.text;
    for (std::string_view record = TakeRecord(rest); !record.empty(); record = TakeRecord(rest)) {
      if (!take(record)) break;
    }
    return {};
  }

  Status ForEachCells(const TakeCells&) override {
    return Status(Code::kInvalidArgument, "a table is possible of Parquet and ORC objects only; leave --table out");
  }

 private:
  RecordObject object_;
};

/// "ORC" in front is a word that records may begin with; in front of the last byte it is the postscript's end, which a
/// file of that name should have.
bool IsOrc(std::ifstream& file, const std::string& path) {
  std::string begin(kOrcMagic.size(), '\0');
  std::string end = begin;
  file.seekg(0);
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  file.seekg(-static_cast<std::streamoff>(end.size() + 1), std::ios::end);
  file.read(end.data(), static_cast<std::streamsize>(end.size()));
  const bool whole = file.good() && end == kOrcMagic;
  file.clear();
  return begin == kOrcMagic && (whole || path.ends_with(".orc"));
}

}  // namespace

Result<std::unique_ptr<ObjectReader>> ObjectReader::Open(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, fmt::format("{}: there is no such file that can be read", path));
  std::string magic(kParquetMagic.size(), '\0');
  file.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  file.clear();
  if (magic == kParquetMagic) return OpenParquetObject(path);
  if (IsOrc(file, path)) return OpenOrcObject(path);
  file.seekg(0);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) return Error(Code::kIoError, fmt::format("{}: reading failed", path));
  Result<RecordObject> object = DecodeRecordObject(bytes.view(), path);
  if (!object) return Error(object.error().WithContext(path));
  return std::make_unique<RecordReader>(*std::move(object));
}

}  // namespace sluice::tools

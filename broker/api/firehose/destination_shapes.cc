// The shapes of S3 destinations, as the service model has them.
#include <cstdint>

#include "broker/api/firehose/shapes.h"

namespace sluice::broker::firehose {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

const Shape& Word() {
  static const Shape shape = Shape::Text().Length(1, 1024).Pattern(R"(^\S+$)");
  return shape;
}

const Shape& Phrase() {
  static const Shape shape = Shape::Text().Length(1, 1024).Pattern(R"(^(?!\s*$).+)", ".+", R"(\s*)");
  return shape;
}

const Shape& BufferingHints() {
  static const Shape size = Shape::Integer().Range(1, 128);
  static const Shape interval = Shape::Integer().Range(0, 900);
  static const Shape shape = Shape::Structure().Member("SizeInMBs", size).Member("IntervalInSeconds", interval);
  return shape;
}

const Shape& Encryption() {
  static const Shape none = Shape::Text().OneOf({"NoEncryption"});
  static const Shape arn =
      Shape::Text().Length(1, 512).Pattern(R"(arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\-_/]+)");
  static const Shape kms = Shape::Structure().Member("AWSKMSKeyARN", arn, Required::kYes);
  static const Shape shape = Shape::Structure().Member("NoEncryptionConfig", none).Member("KMSEncryptionConfig", kms);
  return shape;
}

const Shape& Deserializer() {
  static const Shape mappings = Shape::Map(Word(), Phrase());
  static const Shape openx = Shape::Structure()
                                 .Member("ConvertDotsInJsonKeysToUnderscores", BooleanShape())
                                 .Member("CaseInsensitive", BooleanShape())
                                 .Member("ColumnToJsonKeyMappings", mappings);
  static const Shape formats = Shape::List(Phrase());
  static const Shape hive = Shape::Structure().Member("TimestampFormats", formats);
  static const Shape shape = Shape::Structure().Member("OpenXJsonSerDe", openx).Member("HiveJsonSerDe", hive);
  return shape;
}

const Shape& ParquetSerDe() {
  static const Shape block = Shape::Integer().Range(67'108'864, INT32_MAX);
  static const Shape page = Shape::Integer().Range(65'536, INT32_MAX);
  static const Shape padding = Shape::Integer().Range(0, INT32_MAX);
  static const Shape compression = Shape::Text().OneOf({"UNCOMPRESSED", "GZIP", "SNAPPY"});
  static const Shape version = Shape::Text().OneOf({"V1", "V2"});
  static const Shape shape = Shape::Structure()
                                 .Member("BlockSizeBytes", block)
                                 .Member("PageSizeBytes", page)
                                 .Member("Compression", compression)
                                 .Member("EnableDictionaryCompression", BooleanShape())
                                 .Member("MaxPaddingBytes", padding)
                                 .Member("WriterVersion", version);
  return shape;
}

const Shape& OrcSerDe() {
  static const Shape stripe = Shape::Integer().Range(8'388'608, INT32_MAX);
  static const Shape block = Shape::Integer().Range(67'108'864, INT32_MAX);
  static const Shape stride = Shape::Integer().Range(1000, INT32_MAX);
  static const Shape proportion = Shape::Double().Range(0, 1);
  static const Shape compression = Shape::Text().OneOf({"NONE", "ZLIB", "SNAPPY"});
  static const Shape columns = Shape::List(Word());
  static const Shape version = Shape::Text().OneOf({"V0_11", "V0_12"});
  static const Shape shape = Shape::Structure()
                                 .Member("StripeSizeBytes", stripe)
                                 .Member("BlockSizeBytes", block)
                                 .Member("RowIndexStride", stride)
                                 .Member("EnablePadding", BooleanShape())
                                 .Member("PaddingTolerance", proportion)
                                 .Member("Compression", compression)
                                 .Member("BloomFilterColumns", columns)
                                 .Member("BloomFilterFalsePositiveProbability", proportion)
                                 .Member("DictionaryKeyThreshold", proportion)
                                 .Member("FormatVersion", version);
  return shape;
}

const Shape& Serializer() {
  static const Shape shape = Shape::Structure().Member("ParquetSerDe", ParquetSerDe()).Member("OrcSerDe", OrcSerDe());
  return shape;
}

const Shape& Conversion() {
  static const Shape schema = Shape::Structure()
                                  .Member("RoleARN", Word())
                                  .Member("CatalogId", Word())
                                  .Member("DatabaseName", Word())
                                  .Member("TableName", Word())
                                  .Member("Region", Word())
                                  .Member("VersionId", Word());
  static const Shape input = Shape::Structure().Member("Deserializer", Deserializer());
  static const Shape output = Shape::Structure().Member("Serializer", Serializer());
  static const Shape shape = Shape::Structure()
                                 .Member("SchemaConfiguration", schema)
                                 .Member("InputFormatConfiguration", input)
                                 .Member("OutputFormatConfiguration", output)
                                 .Member("Enabled", BooleanShape());
  return shape;
}

const Shape& Partitioning() {
  static const Shape duration = Shape::Integer().Range(0, 7200);
  static const Shape retry = Shape::Structure().Member("DurationInSeconds", duration);
  static const Shape shape = Shape::Structure().Member("RetryOptions", retry).Member("Enabled", BooleanShape());
  return shape;
}

/// What plain and extended destinations have.
Shape Plain(Required required) {
  static const Shape bucket = Shape::Text().Length(1, 2048).Pattern(R"(arn:.*:s3:::[\w\.\-]{1,255})");
  static const Shape prefix = Shape::Text().Length(0, 1024).Pattern(".*");
  static const Shape compression = Shape::Text().OneOf({"UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"});
  return Shape::Structure()
      .Member("RoleARN", RoleArnShape(), required)
      .Member("BucketARN", bucket, required)
      .Member("Prefix", prefix)
      .Member("ErrorOutputPrefix", prefix)
      .Member("BufferingHints", BufferingHints())
      .Member("CompressionFormat", compression)
      .Member("EncryptionConfiguration", Encryption())
      .Member("CloudWatchLoggingOptions", LoggingShape());
}

Shape Extended(Required required) {
  static const Shape mode = Shape::Text().OneOf({"Disabled", "Enabled"});
  static const Shape extension = Shape::Text().Length(0, 128).Pattern(R"(^$|\.[0-9a-z!\-_.*'()]+)");
  static const Shape zone = Shape::Text().Length(0, 50).Pattern("^$|[a-zA-Z/_]+");
  const bool make = required == Required::kYes;
  return Plain(required)
      .Member("ProcessingConfiguration", ProcessingShape())
      .Member("S3BackupMode", mode)
      .Member(make ? "S3BackupConfiguration" : "S3BackupUpdate", make ? S3ConfigurationShape() : S3UpdateShape())
      .Member("DataFormatConversionConfiguration", Conversion())
      .Member("DynamicPartitioningConfiguration", Partitioning())
      .Member("FileExtension", extension)
      .Member("CustomTimeZone", zone);
}

}  // namespace

const Shape& LoggingShape() {
  static const Shape group = Shape::Text().Length(0, 512).Pattern(R"([\.\-_/#A-Za-z0-9]*)");
  static const Shape stream = Shape::Text().Length(0, 512).Pattern("[^:*]*");
  static const Shape shape = Shape::Structure()
                                 .Member("Enabled", BooleanShape())
                                 .Member("LogGroupName", group)
                                 .Member("LogStreamName", stream);
  return shape;
}

const Shape& ProcessingShape() {
  static const Shape name = Shape::Text().OneOf(
      {"LambdaArn", "NumberOfRetries", "MetadataExtractionQuery", "JsonParsingEngine", "RoleArn", "BufferSizeInMBs",
       "BufferIntervalInSeconds", "SubRecordType", "Delimiter", "CompressionFormat", "DataMessageExtraction"});
  static const Shape value = Shape::Text().Length(1, 5120).Pattern(R"(^(?!\s*$).+)", ".+", R"(\s*)");
  static const Shape parameter =
      Shape::Structure().Member("ParameterName", name, Required::kYes).Member("ParameterValue", value, Required::kYes);
  static const Shape parameters = Shape::List(parameter);
  static const Shape type = Shape::Text().OneOf({"RecordDeAggregation", "Decompression", "CloudWatchLogProcessing",
                                                 "Lambda", "MetadataExtraction", "AppendDelimiterToRecord"});
  static const Shape processor =
      Shape::Structure().Member("Type", type, Required::kYes).Member("Parameters", parameters);
  static const Shape processors = Shape::List(processor);
  static const Shape shape = Shape::Structure().Member("Enabled", BooleanShape()).Member("Processors", processors);
  return shape;
}

const Shape& S3ConfigurationShape() {
  static const Shape shape = Plain(Required::kYes);
  return shape;
}

const Shape& S3UpdateShape() {
  static const Shape shape = Plain(Required::kNo);
  return shape;
}

const Shape& ExtendedS3ConfigurationShape() {
  static const Shape shape = Extended(Required::kYes);
  return shape;
}

const Shape& ExtendedS3UpdateShape() {
  static const Shape shape = Extended(Required::kNo);
  return shape;
}

}  // namespace sluice::broker::firehose

// CloudFormation templates and Terraform's state, beside the body of the API that says the same.
#include "broker/delivery/foreign_config.h"

#include "broker/delivery/delivery_config.h"
#include "tests/catch.h"
#include "tests/delivery/config_documents.h"

namespace sluice::delivery {
namespace {

/// Everything that Firehose has for S3; the Glue table is not asked.
constexpr std::string_view kApi = R"({
  "DeliveryStreamName": "orders-lake",
  "DeliveryStreamType": "KinesisStreamAsSource",
  "KinesisStreamSourceConfiguration": {
    "KinesisStreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders", "RoleARN": "arn:aws:iam::123456789012:role/firehose"
  },
  "ExtendedS3DestinationConfiguration": {
    "RoleARN": "arn:aws:iam::123456789012:role/firehose",
    "BucketARN": "arn:aws:s3:::lake",
    "Prefix": "orders/customer=!{partitionKeyFromQuery:customer}/day=!{timestamp:yyyy-MM-dd}/",
    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
    "BufferingHints": {"SizeInMBs": 96, "IntervalInSeconds": 120},
    "CompressionFormat": "UNCOMPRESSED",
    "CustomTimeZone": "Europe/Berlin",
    "FileExtension": ".pq",
    "CloudWatchLoggingOptions": {"Enabled": true, "LogGroupName": "/aws/kinesisfirehose/orders", "LogStreamName": "DestinationDelivery"},
    "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "arn:aws:kms:eu-west-1:123456789012:key/k"}},
    "DynamicPartitioningConfiguration": {"Enabled": true, "RetryOptions": {"DurationInSeconds": 300}},
    "ProcessingConfiguration": {"Enabled": true, "Processors": [
      {"Type": "MetadataExtraction", "Parameters": [
        {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{customer: .customer.id}"},
        {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"}
      ]}
    ]},
    "S3BackupMode": "Enabled",
    "S3BackupConfiguration": {
      "RoleARN": "arn:aws:iam::123456789012:role/firehose", "BucketARN": "arn:aws:s3:::raw", "Prefix": "orders/",
      "BufferingHints": {"SizeInMBs": 10, "IntervalInSeconds": 400}, "CompressionFormat": "GZIP"
    },
    "DataFormatConversionConfiguration": {
      "Enabled": true,
      "SchemaConfiguration": {
        "DatabaseName": "shop", "TableName": "orders", "Region": "eu-west-1", "VersionId": "LATEST", "RoleARN": "arn:aws:iam::123456789012:role/firehose"
      },
      "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {
        "CaseInsensitive": false, "ConvertDotsInJsonKeysToUnderscores": true, "ColumnToJsonKeyMappings": {"order_id": "id"}
      }}},
      "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {
        "Compression": "GZIP", "BlockSizeBytes": 134217728, "PageSizeBytes": 65536, "EnableDictionaryCompression": true, "WriterVersion": "V2"
      }}}
    }
  },
  "Tags": [{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": ""}]
})";

/// The resource of a template among others; its properties are those of the API.
std::string TemplateOf(std::string_view properties) {
  return fmt::format(R"({{
"AWSTemplateFormatVersion": "2010-09-09",
"Description": "orders to the lake",
"Parameters": {{"Stage": {{"Type": "String", "Default": "test"}}}},
"Resources": {{
  "Role": {{"Type": "AWS::IAM::Role", "Properties": {{"AssumeRolePolicyDocument": {{"Version": "2012-10-17"}}}}}},
  "OrdersStream": {{"Type": "AWS::KinesisFirehose::DeliveryStream", "DependsOn": "Role", "Properties": {}}}
}},
"Outputs": {{"Arn": {{"Value": {{"Fn::GetAtt": ["OrdersStream", "Arn"]}}}}}}
}})",
                     properties);
}

/// A state file; what Terraform has not been told is there with nothing in it.
constexpr std::string_view kState = R"({
  "version": 4, "terraform_version": "1.9.8", "serial": 17, "lineage": "5bd2c0cb-9f3a-1df6-52a6-6c9a0b7f5d51", "outputs": {},
  "resources": [
    {"mode": "managed", "type": "aws_s3_bucket", "name": "lake", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
     "instances": [{"schema_version": 0, "attributes": {"arn": "arn:aws:s3:::lake", "bucket": "lake"}}]},
    {"mode": "data", "type": "aws_kinesis_firehose_delivery_stream", "name": "other", "instances": [{"attributes": {"name": "other"}}]},
    {"mode": "managed", "type": "aws_kinesis_firehose_delivery_stream", "name": "orders",
     "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
     "instances": [
       {"schema_version": 1,
        "attributes": {
          "arn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders-lake",
          "destination": "extended_s3", "destination_id": "destinationId-000000000001",
          "elasticsearch_configuration": [],
          "extended_s3_configuration": [{
            "bucket_arn": "arn:aws:s3:::lake",
            "buffering_interval": 120, "buffering_size": 96,
            "cloudwatch_logging_options": [
              {"enabled": true, "log_group_name": "/aws/kinesisfirehose/orders", "log_stream_name": "DestinationDelivery"}],
            "compression_format": "UNCOMPRESSED", "custom_time_zone": "Europe/Berlin",
            "data_format_conversion_configuration": [{
              "enabled": true,
              "input_format_configuration": [{"deserializer": [{"hive_json_ser_de": [], "open_x_json_ser_de": [{
                "case_insensitive": false, "column_to_json_key_mappings": {"order_id": "id"},
                "convert_dots_in_json_keys_to_underscores": true}]}]}],
              "output_format_configuration": [{"serializer": [{"orc_ser_de": [], "parquet_ser_de": [{
                "block_size_bytes": 134217728, "compression": "GZIP", "enable_dictionary_compression": true,
                "max_padding_bytes": 0, "page_size_bytes": 65536, "writer_version": "V2"}]}]}],
              "schema_configuration": [{"catalog_id": "", "database_name": "shop", "region": "eu-west-1",
                "role_arn": "arn:aws:iam::123456789012:role/firehose", "table_name": "orders", "version_id": "LATEST"}]}],
            "dynamic_partitioning_configuration": [{"enabled": true, "retry_duration": 300}],
            "error_output_prefix": "errors/!{firehose:error-output-type}/", "file_extension": ".pq",
            "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/k",
            "prefix": "orders/customer=!{partitionKeyFromQuery:customer}/day=!{timestamp:yyyy-MM-dd}/",
            "processing_configuration": [{"enabled": true, "processors": [{"type": "MetadataExtraction", "parameters": [
              {"parameter_name": "MetadataExtractionQuery", "parameter_value": "{customer: .customer.id}"},
              {"parameter_name": "JsonParsingEngine", "parameter_value": "JQ-1.6"}]}]}],
            "role_arn": "arn:aws:iam::123456789012:role/firehose",
            "s3_backup_configuration": [{
              "bucket_arn": "arn:aws:s3:::raw", "buffering_interval": 400, "buffering_size": 10,
              "cloudwatch_logging_options": [{"enabled": false, "log_group_name": "", "log_stream_name": ""}],
              "compression_format": "GZIP", "error_output_prefix": "", "kms_key_arn": "", "prefix": "orders/",
              "role_arn": "arn:aws:iam::123456789012:role/firehose"}],
            "s3_backup_mode": "Enabled"}],
          "http_endpoint_configuration": [], "iceberg_configuration": [],
          "id": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders-lake",
          "kinesis_source_configuration": [{
            "kinesis_stream_arn": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders", "role_arn": "arn:aws:iam::123456789012:role/firehose"}],
          "msk_source_configuration": [], "name": "orders-lake", "opensearch_configuration": [],
          "opensearchserverless_configuration": [], "redshift_configuration": [], "region": "eu-west-1",
          "server_side_encryption": [{"enabled": false, "key_arn": "", "key_type": "AWS_OWNED_CMK"}],
          "snowflake_configuration": [], "splunk_configuration": [],
          "tags": {"team": "shop", "stage": ""}, "tags_all": {"team": "shop", "stage": "", "owner": "me"},
          "timeouts": null, "version_id": "3"},
        "sensitive_attributes": [], "private": "bnVsbA==", "dependencies": ["aws_s3_bucket.lake"]}]}
  ],
  "check_results": null
})";

ParsedDeliveryConfig MustParse(std::string_view document, std::string_view name = "f.json") {
  const auto parsed = ParseDeliveryConfig(document, name);
  INFO(document);
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed.has_value());
  return *parsed;
}

std::string ErrorOf(std::string_view document, std::string_view name = "f.json") {
  const auto parsed = ParseDeliveryConfig(document, name);
  REQUIRE(!parsed.has_value());
  return parsed.error().message();
}

/// Configuration and warnings, without where in the document they arose.
std::string Meaning(const ParsedDeliveryConfig& parsed) {
  std::vector<std::string> warnings;
  for (const std::string& warning : parsed.warnings) warnings.push_back(warning.substr(warning.find(": ")));
  std::ranges::sort(warnings);
  return DeliveryConfigToJson(parsed.config) + "\n" + Joined(warnings);
}

/// The attributes of a delivery stream that puts go to.
std::string Attributes(std::string_view destination, std::string_view members) {
  return fmt::format(R"({{"name": "d", "arn": "a", "destination": "{0}", "{0}_configuration": [{{{1}}}]}})",
                     destination, members);
}

std::string Resource(std::string_view destination) {
  return fmt::format(
      R"({{"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties": {{"DeliveryStreamName": "d",
"ExtendedS3DestinationConfiguration": {{
{}
}}}}}})",
      destination);
}

}  // namespace

TEST_CASE("TakeForeignDocument: template, resource and state mean what the API's body means", "[delivery]") {
  const std::string expected = Meaning(MustParse(kApi));
  CHECK(Meaning(MustParse(TemplateOf(kApi))) == expected);
  CHECK(Meaning(MustParse(
            fmt::format(R"({{"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties": {}}})", kApi))) == expected);
  CHECK(Meaning(MustParse(fmt::format(
            R"({{"Orders": {{"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties": {}}}}})", kApi))) ==
        expected);
  CHECK(Meaning(MustParse(kState, "terraform.tfstate")) == expected);
}

TEST_CASE("TakeForeignDocument: what terraform show prints, a resource of it, and its values", "[delivery]") {
  const std::string expected = Meaning(MustParse(
      R"({"DeliveryStreamName": "d", "S3DestinationConfiguration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake"}})"));
  const std::string values = Attributes("s3", R"("role_arn": "r", "bucket_arn": "arn:aws:s3:::lake", "prefix": "")");
  const std::string resource = fmt::format(
      R"({{"address": "module.lake.aws_kinesis_firehose_delivery_stream.d[0]", "mode": "managed",
      "type": "aws_kinesis_firehose_delivery_stream", "name": "d", "index": 0, "values": {}}})",
      values);
  CHECK(Meaning(MustParse(values)) == expected);
  CHECK(Meaning(MustParse(resource)) == expected);
  const auto shown = [](std::string_view resources) {
    return fmt::format(
        R"({{"format_version": "1.0", "terraform_version": "1.9.8", "values": {{"root_module": {{"resources": [],
      "child_modules": [{{"address": "module.lake", "resources": [{}]}}]}}}}}})",
        resources);
  };
  CHECK(Meaning(MustParse(shown(resource))) == expected);
  CHECK(Contains(ErrorOf(shown(resource + "," + resource)),
                 "holds 2 resources of the type aws_kinesis_firehose_delivery_stream: "
                 "module.lake.aws_kinesis_firehose_delivery_stream.d[0], "
                 "module.lake.aws_kinesis_firehose_delivery_stream.d[0]; give each in a file of its own"));
}

TEST_CASE("TakeForeignDocument: Terraform's other destinations", "[delivery]") {
  constexpr std::string_view kBucket = R"("S3Configuration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake"})";
  constexpr std::string_view kBlock = R"("s3_configuration": [{"role_arn": "r", "bucket_arn": "arn:aws:s3:::lake"}])";
  struct Case {
    std::string_view destination, attributes, member, body;
  };
  const Case cases[] = {
      {"http_endpoint",
       R"("url": "https://h/put", "name": "h", "access_key": "k", "role_arn": "r", "retry_duration": 60,
       "buffering_size": 2, "buffering_interval": 30, "secrets_manager_configuration": [{"enabled": false, "secret_arn": "", "role_arn": ""}],
       "request_configuration": [{"content_encoding": "GZIP", "common_attributes": [{"name": "a", "value": "b"}]}])",
       "HttpEndpointDestinationConfiguration",
       R"("EndpointConfiguration": {"Url": "https://h/put", "Name": "h", "AccessKey": "k"}, "RoleARN": "r", "RetryOptions": {"DurationInSeconds": 60},
       "BufferingHints": {"SizeInMBs": 2, "IntervalInSeconds": 30},
       "RequestConfiguration": {"ContentEncoding": "GZIP", "CommonAttributes": [{"AttributeName": "a", "AttributeValue": "b"}]})"},
      {"splunk",
       R"("hec_endpoint": "https://h", "hec_endpoint_type": "Event", "hec_token": "t", "hec_acknowledgment_timeout": 300,
       "s3_backup_mode": "AllEvents", "buffering_size": 3, "buffering_interval": 20)",
       "SplunkDestinationConfiguration",
       R"("HECEndpoint": "https://h", "HECEndpointType": "Event", "HECToken": "t", "HECAcknowledgmentTimeoutInSeconds": 300,
       "S3BackupMode": "AllEvents", "BufferingHints": {"SizeInMBs": 3, "IntervalInSeconds": 20})"},
      {"opensearch",
       R"("cluster_endpoint": "https://h", "domain_arn": "", "index_name": "i", "index_rotation_period": "OneWeek", "role_arn": "r",
       "document_id_options": [{"default_document_id_format": "NO_DOCUMENT_ID"}], "type_name": "",
       "vpc_config": [{"role_arn": "r", "security_group_ids": ["sg-1"], "subnet_ids": ["subnet-1"], "vpc_id": "vpc-1"}])",
       "AmazonopensearchserviceDestinationConfiguration",
       R"("ClusterEndpoint": "https://h", "IndexName": "i", "IndexRotationPeriod": "OneWeek", "RoleARN": "r",
       "DocumentIdOptions": {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"},
       "VpcConfiguration": {"RoleARN": "r", "SecurityGroupIds": ["sg-1"], "SubnetIds": ["subnet-1"]})"},
      {"redshift",
       R"("cluster_jdbcurl": "jdbc:redshift://h:5439/dev", "username": "u", "password": "p", "role_arn": "r", "retry_duration": 3600,
       "data_table_name": "t", "data_table_columns": "a,b", "copy_options": "json 'auto'", "s3_backup_mode": "Disabled", "s3_backup_configuration": [])",
       "RedshiftDestinationConfiguration",
       R"("ClusterJDBCURL": "jdbc:redshift://h:5439/dev", "Username": "u", "Password": "p", "RoleARN": "r", "RetryOptions": {"DurationInSeconds": 3600},
       "CopyCommand": {"DataTableName": "t", "DataTableColumns": "a,b", "CopyOptions": "json 'auto'"}, "S3BackupMode": "Disabled")"},
  };
  for (const Case& c : cases) {
    const std::string state = Attributes(c.destination, fmt::format("{}, {}", c.attributes, kBlock));
    const std::string api =
        fmt::format(R"({{"DeliveryStreamName": "d", "{}": {{{}, {}}}}})", c.member, c.body, kBucket);
    CHECK(Meaning(MustParse(state)) == Meaning(MustParse(api)));
  }
  CHECK(
      Contains(ErrorOf(Attributes("snowflake", "")), "f.json:1: SnowflakeDestinationConfiguration: is not yet served"));
}

TEST_CASE("TakeForeignDocument: functions are left out where nothing here needs the value", "[delivery]") {
  const auto parsed = MustParse(R"(AWSTemplateFormatVersion: 2010-09-09
Resources:
  OrdersStream:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      KinesisStreamSourceConfiguration: !Ref AWS::NoValue
      ExtendedS3DestinationConfiguration:
        BucketARN: arn:aws:s3:::lake
        RoleARN: !GetAtt Role.Arn
        CloudWatchLoggingOptions: {LogGroupName: !Sub "/aws/${AWS::StackName}"}
        ProcessingConfiguration:
          Enabled: true
          Processors:
            - Type: Lambda
              Parameters:
                - {ParameterName: LambdaArn, ParameterValue: "http://127.0.0.1:1/f"}
                - {ParameterName: RoleArn, ParameterValue: !GetAtt [Role, Arn]}
      Tags: [{Key: stage, Value: !Ref Stage}]
)",
                                "/etc/sluice/orders.yaml");
  CHECK(parsed.config.name == "OrdersStream");
  CHECK(parsed.config.bucket == "lake");
  CHECK(parsed.config.role_arn.empty());
  CHECK(parsed.config.direct_put);
  CHECK(parsed.config.tags == std::vector<std::pair<std::string, std::string>>{{"stage", ""}});
  const std::string warnings = Joined(parsed.warnings);
  INFO(warnings);
  const std::string_view left = ", which is not resolved here; left empty, as it means nothing here\n";
  for (const std::string_view warning :
       {"orders.yaml:9: ExtendedS3DestinationConfiguration.RoleARN: is CloudFormation's Fn::GetAtt Role.Arn",
        "orders.yaml:10: ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions.LogGroupName: is CloudFormation's "
        "Fn::Sub "
        "/aws/${AWS::StackName}",
        "orders.yaml:17: "
        "ExtendedS3DestinationConfiguration.ProcessingConfiguration.Processors.Parameters.ParameterValue: is "
        "CloudFormation's Fn::GetAtt",
        "orders.yaml:18: Tags.Value: is CloudFormation's Ref Stage"})
    CHECK(Contains(warnings, std::string(warning) + std::string(left)));
  CHECK(Contains(
      warnings,
      "orders.yaml:6: DeliveryStreamName: is missing, and CloudFormation would make one up; taken as 'OrdersStream'"));
  CHECK(parsed.warnings.size() == 5);
}

TEST_CASE("TakeForeignDocument: functions in place of what counts are named, all at once", "[delivery]") {
  const std::string error = ErrorOf(Resource(R"("BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]},
"RoleARN": {"Ref": "Role"},
"Prefix": {"Fn::Sub": "${Stage}/"},
"S3BackupConfiguration": {"Fn::If": ["Backup", {"BucketARN": "b"}, {"Ref": "AWS::NoValue"}]})"));
  constexpr std::string_view kWhere =
      "f.json:{}: ExtendedS3DestinationConfiguration.{}, which is not resolved here; put the value in its place";
  CHECK(error == fmt::format(fmt::runtime(kWhere), 3, "BucketARN: is CloudFormation's Fn::GetAtt") + "\n" +
                     fmt::format(fmt::runtime(kWhere), 5, "Prefix: is CloudFormation's Fn::Sub ${Stage}/") + "\n" +
                     fmt::format(fmt::runtime(kWhere), 6, "S3BackupConfiguration: is CloudFormation's Fn::If"));
  CHECK(Contains(
      ErrorOf(R"({"Type": "AWS::KinesisFirehose::DeliveryStream", "Properties":
{"RedshiftDestinationConfiguration": {"RoleARN": {"Ref": "Role"}}}})"),
      "f.json:2: RedshiftDestinationConfiguration.RoleARN: is CloudFormation's Ref Role, which is not resolved"));
}

TEST_CASE("TakeForeignDocument: mistakes keep the lines of the document", "[delivery]") {
  CHECK(ErrorOf(Resource("\"BucketARN\": \"lake\", \n\"Prefix\": 5, \"Prefixx\": \"\"")) ==
        "f.json:4: ExtendedS3DestinationConfiguration.Prefixx: unknown key; did you mean 'Prefix'?");
  CHECK(ErrorOf(Attributes("extended_s3", "\n\"bucket_arn\": \"a/b\",\n\"no_such\": [\"x\"], \"none\": null")) ==
        "f.json:2: ExtendedS3DestinationConfiguration.BucketARN: 'a/b' names no bucket; write arn:aws:s3:::my-bucket\n"
        "f.json:3: ExtendedS3DestinationConfiguration.NoSuch: unknown key");
  CHECK(ErrorOf(R"({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}})") ==
        "f.json:1: holds no AWS::KinesisFirehose::DeliveryStream");
  CHECK(ErrorOf(R"({"version": 4, "resources": []})") == "f.json:1: holds no aws_kinesis_firehose_delivery_stream");
  CHECK(ErrorOf(R"({"Type": "AWS::KinesisFirehose::DeliveryStream"})") == "f.json:1: Properties: is missing");
  const std::string_view two = R"({"Resources": {"A": {"Type": "AWS::KinesisFirehose::DeliveryStream"},
"B": {"Type": "AWS::KinesisFirehose::DeliveryStream"}}})";
  CHECK(Contains(ErrorOf(two), "holds 2 resources of the type AWS::KinesisFirehose::DeliveryStream: A, B; give each"));
}

TEST_CASE("TakeForeignDocument: a resource without any name is named by its file", "[delivery]") {
  const std::string_view resource = R"({"Type": "AWS::KinesisFirehose::DeliveryStream",
"Properties": {"S3DestinationConfiguration": {"RoleARN": "r", "BucketARN": "arn:aws:s3:::lake"}}})";
  CHECK(MustParse(resource, "/etc/sluice/orders.json").config.name == "orders");
  CHECK(ErrorOf(resource, "") == "DeliveryStreamName: is missing");
}

}  // namespace sluice::delivery

// CloudFormation has the API's names, and functions where values should be. Terraform has names, blocks and lists of
// its own: what is more than another spelling of the API's name is in kNames.
#include "broker/delivery/foreign_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

namespace sluice::delivery {
namespace {

constexpr std::string_view kCloudFormationType = "AWS::KinesisFirehose::DeliveryStream";
constexpr std::string_view kTerraformType = "aws_kinesis_firehose_delivery_stream";
constexpr std::string_view kKinesisSource = "KinesisStreamSourceConfiguration";

/// What means nothing here, so that a function may stand there.
constexpr std::array<std::string_view, 9> kUncounted = {
    "RoleARN", "LogGroupName", "LogStreamName", "AWSKMSKeyARN", "KeyARN", "CatalogId", "Region", "VersionId", "Value"};

/// A Terraform attribute and where the API has it: a path of members, or nothing where it is passed over.
struct Name {
  std::string_view block;  // that it stands in; kTop: in none; kAnywhere: in whichever
  std::string_view attribute;
  std::string_view member;
};
constexpr std::string_view kTop = "";
constexpr std::string_view kAnywhere = "*";
constexpr std::array kNames = {
    Name{kTop, "name", "DeliveryStreamName"},
    Name{kTop, "kinesis_source_configuration", kKinesisSource},
    Name{kTop, "msk_source_configuration", "MSKSourceConfiguration"},
    Name{kTop, "s3_configuration", "S3DestinationConfiguration"},
    Name{kTop, "extended_s3_configuration", "ExtendedS3DestinationConfiguration"},
    Name{kTop, "http_endpoint_configuration", "HttpEndpointDestinationConfiguration"},
    Name{kTop, "splunk_configuration", "SplunkDestinationConfiguration"},
    Name{kTop, "opensearch_configuration", "AmazonopensearchserviceDestinationConfiguration"},
    Name{kTop, "opensearchserverless_configuration", "AmazonOpenSearchServerlessDestinationConfiguration"},
    Name{kTop, "elasticsearch_configuration", "ElasticsearchDestinationConfiguration"},
    Name{kTop, "redshift_configuration", "RedshiftDestinationConfiguration"},
    Name{kTop, "snowflake_configuration", "SnowflakeDestinationConfiguration"},
    Name{kTop, "iceberg_configuration", "IcebergDestinationConfiguration"},
    Name{kTop, "server_side_encryption", "DeliveryStreamEncryptionConfigurationInput"},
    Name{kTop, "destination", ""},  // which of the blocks above is there
    Name{kTop, "arn", ""},
    Name{kTop, "destination_id", ""},
    Name{kTop, "id", ""},
    Name{kTop, "region", ""},
    Name{kTop, "tags_all", ""},
    Name{kTop, "timeouts", ""},
    Name{kTop, "version_id", ""},
    Name{kAnywhere, "buffering_size", "BufferingHints.SizeInMBs"},
    Name{kAnywhere, "buffering_interval", "BufferingHints.IntervalInSeconds"},
    Name{kAnywhere, "retry_duration", "RetryOptions.DurationInSeconds"},
    Name{kAnywhere, "kms_key_arn", "EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN"},
    Name{kAnywhere, "vpc_config", "VpcConfiguration"},
    Name{"http_endpoint_configuration", "url", "EndpointConfiguration.Url"},
    Name{"http_endpoint_configuration", "name", "EndpointConfiguration.Name"},
    Name{"http_endpoint_configuration", "access_key", "EndpointConfiguration.AccessKey"},
    Name{"common_attributes", "name", "AttributeName"},
    Name{"common_attributes", "value", "AttributeValue"},
    Name{"splunk_configuration", "hec_acknowledgment_timeout", "HECAcknowledgmentTimeoutInSeconds"},
    Name{"redshift_configuration", "data_table_name", "CopyCommand.DataTableName"},
    Name{"redshift_configuration", "data_table_columns", "CopyCommand.DataTableColumns"},
    Name{"redshift_configuration", "copy_options", "CopyCommand.CopyOptions"},
};
/// Words of names that are spelt otherwise than with one capital letter.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kWords = {
    {{"arn", "ARN"}, {"hec", "HEC"}, {"cloudwatch", "CloudWatch"}, {"jdbcurl", "JDBCURL"}}};
/// Blocks of which there may be many; of the others the list has one.
constexpr std::array<std::string_view, 3> kManyBlocks = {"processors", "parameters", "common_attributes"};

/// What is to be made the document, and what it is called where it was found.
struct Found {
  std::string name;
  const ConfigNode* node;
};

bool IsAmong(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view TextOf(const ConfigNode& map, std::string_view key) {
  const ConfigField* const field = map.Find(key);
  return field == nullptr ? std::string_view() : std::string_view(field->value.text);
}

/// Empty where it is absent.
const std::vector<ConfigNode>& ItemsOf(const ConfigNode& map, std::string_view key) {
  static const std::vector<ConfigNode> none;
  const ConfigField* const field = map.Find(key);
  return field == nullptr ? none : field->value.items;
}

ConfigNode NodeOf(ConfigNode::Kind kind, int line, std::string_view text = "") {
  ConfigNode node;
  node.kind = kind;
  node.line = line;
  node.text = text;
  return node;
}

/// nullptr, and a problem, unless it is one.
const Found* OnlyOne(const std::vector<Found>& found, std::string_view type, int line, ConfigReport& report) {
  if (found.size() == 1) return &found.front();
  std::vector<std::string_view> names;
  for (const Found& each : found) names.emplace_back(each.name);
  report.Problem(line, "",
                 found.empty() ? fmt::format("holds no {}", type)
                               : fmt::format("holds {} resources of the type {}: {}; give each in a file of its own",
                                             found.size(), type, fmt::join(names, ", ")));
  return nullptr;
}

// CloudFormation

bool IsTemplateResource(const ConfigNode& node) { return TextOf(node, "Type") == kCloudFormationType; }

/// "Ref", "Fn::GetAtt" of a map that stands for a value; empty where it is none.
std::string_view FunctionOf(const ConfigNode& node) {
  if (node.fields.size() != 1) return "";
  const std::string& key = node.fields.front().key;
  return key == "Ref" || key.starts_with("Fn::") ? std::string_view(key) : "";
}

/// No function is left behind, but where there is a problem.
void TakeFunctions(ConfigNode& node, const std::string& path, bool counts, ConfigReport& report) {
  const std::string function(FunctionOf(node));
  if (function.empty()) {
    const bool role = TextOf(node, "ParameterName") == "RoleArn";  // of a processor
    for (ConfigNode& item : node.items) TakeFunctions(item, path, counts, report);
    for (ConfigField& field : node.fields) {
      if (field.key == "VpcConfiguration") continue;  // passed over as a whole
      const std::string place = path.empty() ? field.key : fmt::format("{}.{}", path, field.key);
      // The role of a COPY is the one that somebody needs.
      const bool uncounted = IsAmong(kUncounted, field.key) && place != "RedshiftDestinationConfiguration.RoleARN";
      TakeFunctions(field.value, place, counts && !role && !uncounted, report);
    }
    return;
  }
  const std::string_view argument = node.fields.front().value.text;
  if (function == "Ref" && argument == "AWS::NoValue") {
    node = NodeOf(ConfigNode::Kind::kNull, node.line);
    return;
  }
  const std::string what = fmt::format("is CloudFormation's {}{}{}", function, argument.empty() ? "" : " ", argument);
  if (counts) return report.Problem(node.line, path, what + ", which is not resolved here; put the value in its place");
  report.Warn(node.line, path, what + ", which is not resolved here; left empty, as it means nothing here");
  node = NodeOf(ConfigNode::Kind::kString, node.line);
}

void NameByResource(ConfigNode& body, std::string_view resource, std::string_view document_name, ConfigReport& report) {
  std::erase_if(body.fields, [](const ConfigField& field) { return field.value.kind == ConfigNode::Kind::kNull; });
  if (body.Find("DeliveryStreamName") != nullptr) return;
  const std::string name =
      resource.empty() ? std::filesystem::path(document_name).stem().string() : std::string(resource);
  if (name.empty()) return;
  report.Warn(body.line, "DeliveryStreamName",
              fmt::format("is missing, and CloudFormation would make one up; taken as '{}'", name));
  body.fields.push_back({"DeliveryStreamName", body.line, NodeOf(ConfigNode::Kind::kString, body.line, name)});
}

void TakeTemplate(ConfigNode& document, const Found& resource, std::string_view document_name, ConfigReport& report) {
  const ConfigField* const properties = resource.node->Find("Properties");
  if (properties == nullptr) return report.Problem(resource.node->line, "Properties", "is missing");
  ConfigNode body = properties->value;
  TakeFunctions(body, "", true, report);
  NameByResource(body, resource.name, document_name, report);
  document = std::move(body);
}

// Terraform

/// "BucketARN" of bucket_arn; a path of members, or nothing, where kNames says so.
std::string MemberOf(std::string_view block, std::string_view attribute) {
  const auto is = [&](const Name& name) {
    return name.attribute == attribute && (name.block == block || name.block == kAnywhere);
  };
  if (const auto* known = std::ranges::find_if(kNames, is); known != kNames.end()) return std::string(known->member);
  std::string member;
  while (!attribute.empty()) {
    const std::string_view word = attribute.substr(0, attribute.find('_'));
    attribute.remove_prefix(std::min(word.size() + 1, attribute.size()));
    const auto* const known = std::ranges::find(kWords, word, &std::pair<std::string_view, std::string_view>::first);
    member += known == kWords.end() ? word : known->second;
    if (known != kWords.end() || word.empty()) continue;
    char& initial = member[member.size() - word.size()];
    initial = static_cast<char>(std::toupper(static_cast<unsigned char>(initial)));
  }
  return member;
}

/// State has every attribute, with nothing in those that were not given.
bool IsAbsent(const ConfigNode& node) {
  return node.kind == ConfigNode::Kind::kNull || (node.kind == ConfigNode::Kind::kString && node.text.empty()) ||
         (node.kind == ConfigNode::Kind::kList && node.items.empty());
}

void Put(ConfigNode& map, std::string_view path, int line, ConfigNode value) {
  const std::size_t point = path.find('.');
  const std::string key(path.substr(0, point));
  if (point == path.npos) return map.fields.push_back({key, line, std::move(value)});
  auto inner = std::ranges::find(map.fields, key, &ConfigField::key);
  if (inner == map.fields.end()) inner = map.fields.insert(inner, {key, line, NodeOf(ConfigNode::Kind::kMap, line)});
  Put(inner->value, path.substr(point + 1), line, std::move(value));
}

ConfigNode ValueOf(std::string_view attribute, const ConfigNode& node);

ConfigNode BlockOf(std::string_view block, const ConfigNode& from) {
  ConfigNode map = NodeOf(ConfigNode::Kind::kMap, from.line);
  for (const ConfigField& field : from.fields) {
    const std::string path = MemberOf(block, field.key);
    if (!path.empty() && !IsAbsent(field.value)) Put(map, path, field.line, ValueOf(field.key, field.value));
  }
  return map;
}

/// Maps that are not in a list have keys of the user's.
ConfigNode ValueOf(std::string_view attribute, const ConfigNode& node) {
  if (node.items.empty()) return node;
  if (IsAmong(kManyBlocks, attribute)) {
    ConfigNode list = NodeOf(ConfigNode::Kind::kList, node.line);
    for (const ConfigNode& item : node.items) list.items.push_back(BlockOf(attribute, item));
    return list;
  }
  const ConfigNode::Kind kind = node.items.front().kind;
  const bool block = kind == ConfigNode::Kind::kMap || kind == ConfigNode::Kind::kNull;  // an empty one
  return block && node.items.size() == 1 ? BlockOf(attribute, node.items.front()) : node;
}

/// A map in Terraform.
ConfigNode TagsOf(const ConfigNode& tags) {
  ConfigNode list = NodeOf(ConfigNode::Kind::kList, tags.line);
  for (const ConfigField& tag : tags.fields) {
    ConfigNode item = NodeOf(ConfigNode::Kind::kMap, tag.line);
    Put(item, "Key", tag.line, NodeOf(ConfigNode::Kind::kString, tag.line, tag.key));
    Put(item, "Value", tag.line, tag.value);
    list.items.push_back(std::move(item));
  }
  return list;
}

ConfigNode BodyOfAttributes(const ConfigNode& attributes) {
  ConfigNode body = BlockOf(kTop, attributes);
  std::erase_if(body.fields, [](const ConfigField& field) {
    return field.key == "DeliveryStreamEncryptionConfigurationInput" && TextOf(field.value, "Enabled") != "true";
  });
  for (ConfigField& field : body.fields) {
    if (field.key == "Tags") field.value = TagsOf(field.value);
  }
  if (const ConfigField* const source = body.Find(kKinesisSource))
    Put(body, "DeliveryStreamType", source->line,
        NodeOf(ConfigNode::Kind::kString, source->line, "KinesisStreamAsSource"));
  return body;
}

/// A resource of `terraform show -json` has its values, one of a state file an instance for each of its count.
void CollectResource(const ConfigNode& resource, std::vector<Found>& found) {
  if (TextOf(resource, "type") != kTerraformType || TextOf(resource, "mode") == "data") return;
  const std::string name = fmt::format("{}.{}", kTerraformType, TextOf(resource, "name"));
  if (const ConfigField* const values = resource.Find("values"))
    found.push_back({std::string(TextOf(resource, "address")), &values->value});
  const std::string_view module = TextOf(resource, "module");
  for (const ConfigNode& instance : ItemsOf(resource, "instances")) {
    const std::string_view index = TextOf(instance, "index_key");
    const ConfigField* const attributes = instance.Find("attributes");
    if (attributes == nullptr || instance.Find("deposed") != nullptr) continue;
    found.push_back({fmt::format("{}{}{}{}", module, module.empty() ? "" : ".", name,
                                 index.empty() ? "" : fmt::format("[{}]", index)),
                     &attributes->value});
  }
}

void CollectModule(const ConfigNode& module, std::vector<Found>& found) {
  for (const ConfigNode& resource : ItemsOf(module, "resources")) CollectResource(resource, found);
  for (const ConfigNode& child : ItemsOf(module, "child_modules")) CollectModule(child, found);
}

/// nullopt: not Terraform's.
std::optional<std::vector<Found>> TerraformResources(const ConfigNode& document) {
  std::vector<Found> found;
  const ConfigField* const values = document.Find("values");
  const ConfigField* const root = values == nullptr ? nullptr : values->value.Find("root_module");
  if (TextOf(document, "type") == kTerraformType) {
    CollectResource(document, found);
  } else if (root != nullptr || document.Find("resources") != nullptr) {
    CollectModule(root == nullptr ? document : root->value, found);
  } else if (!TextOf(document, "destination").empty() && document.Find("name") != nullptr) {
    found.push_back({"", &document});
  } else {
    return std::nullopt;
  }
  return found;
}

}  // namespace

void TakeForeignDocument(ConfigNode& document, std::string_view document_name, ConfigReport& report) {
  if (IsTemplateResource(document)) return TakeTemplate(document, {"", &document}, document_name, report);
  const ConfigField* const resources = document.Find("Resources");
  std::vector<Found> found;
  for (const ConfigField& field : (resources == nullptr ? document : resources->value).fields) {
    if (IsTemplateResource(field.value)) found.push_back({field.key, &field.value});
  }
  if (resources != nullptr || !found.empty()) {
    const Found* const resource = OnlyOne(found, kCloudFormationType, document.line, report);
    if (resource != nullptr) TakeTemplate(document, *resource, document_name, report);
  } else if (const auto terraform = TerraformResources(document)) {
    const Found* const resource = OnlyOne(*terraform, kTerraformType, document.line, report);
    if (resource != nullptr) document = BodyOfAttributes(*resource->node);
  }
}

}  // namespace sluice::delivery

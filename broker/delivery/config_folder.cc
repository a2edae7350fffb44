// Looking at files again and again without doing anything twice.
#include "broker/delivery/config_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/log.h"

namespace sluice::delivery {
namespace {

bool IsConfigFile(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".yaml") || name.ends_with(".yml");
}

/// True where this problem is another one than the last.
bool IsNew(std::string problem, std::string& told) { return std::exchange(told, problem) != problem; }

}  // namespace

ConfigFolder::ConfigFolder(storage::Env& env, std::string dir, ConfigFolderUse use)
    : env_(env), dir_(std::move(dir)), use_(std::move(use)) {}

void ConfigFolder::Look() {
  const Result<std::vector<std::string>> names = env_.List(dir_);
  if (!names) {
    if (IsNew(names.error().message(), told_)) {
      broker::log::Error("cannot read the folder of delivery streams", {{"folder", dir_}, {"error", names.error()}});
    }
    return;
  }
  told_.clear();
  std::erase_if(files_, [&](const auto& file) { return !std::ranges::binary_search(*names, file.first); });
  for (const std::string& name : *names) {
    if (IsConfigFile(name)) LookAt(name);
  }
  looked_ = true;
}

void ConfigFolder::LookAt(const std::string& name) {
  const auto [it, added] = files_.try_emplace(name);
  File& file = it->second;
  Result<std::string> document = use_.read(PathOf(name));
  if (!document) {
    if (IsNew(document.error().message(), file.told)) {
      broker::log::Error("cannot read a delivery stream's file", {{"file", PathOf(name)}, {"error", document.error()}});
    }
    return;
  }
  if (added || *document != file.document) {
    file = File{.document = std::move(*document), .name = std::move(file.name)};
    if (looked_) return;  // it may be half written
  }
  if (!file.settled) Use(PathOf(name), file);
}

void ConfigFolder::Use(const std::string& path, File& file) {
  const std::string name = use_.name_of(file.document, path);
  if (const std::string first = OtherOf(name, file); !first.empty()) {
    if (IsNew(first, file.told)) {
      broker::log::Error("two files are of one delivery stream; the first one counts",
                         {{"delivery_stream", name}, {"first", first}, {"second", path}});
    }
    return;
  }
  if (!name.empty()) file.name = name;  // a mistake in it gives the delivery stream to no other file
  const std::optional<Result<DeliveryAnswer>> answer = use_.use(file.document, path);
  if (!answer) return;
  if (*answer) {
    file.settled = true;
    for (const std::string& warning : (*answer)->warnings) broker::log::Warning(warning);
    return;
  }
  const Status& error = answer->error();
  file.settled = error.code() == Code::kFailedPrecondition;
  if (!IsNew(error.message(), file.told)) return;
  if (error.code() == Code::kNotFound) {
    broker::log::Warning("a delivery stream's file waits for a stream that it names",
                         {{"file", path}, {"error", error}});
  } else {
    broker::log::Error("a delivery stream's file cannot be used", {{"file", path}, {"error", error}});
  }
}

std::string ConfigFolder::OtherOf(const std::string& name, const File& file) const {
  if (name.empty()) return "";
  const auto other =
      std::ranges::find_if(files_, [&](const auto& each) { return &each.second != &file && each.second.name == name; });
  return other == files_.end() ? "" : PathOf(other->first);
}

std::string ConfigFolder::PathOf(const std::string& name) const { return fmt::format("{}/{}", dir_, name); }

}  // namespace sluice::delivery

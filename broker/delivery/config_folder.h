// The folder whose files each hold one delivery stream (delivery.config_dir).
//
// The first look uses every file at once. Later ones use what is new or has changed as soon as two looks in a row find
// the same in it: an editor may be half done. A file that cannot be used is tried again at each look, as what it needs
// (a stream, a secret, a table) may come later; each problem is logged once. Of two files with one delivery stream the
// one that was used first counts.
//
// Threads: one. A crash leaves nothing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "broker/delivery_control.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// What a folder's files are for; whatever the functions use outlives the folder.
struct ConfigFolderUse {
  std::function<Result<std::string>(const std::string& path)> read;
  /// The delivery stream that a document is of; empty: it cannot be told.
  std::function<std::string(const std::string& document, const std::string& path)> name_of;
  /// Makes the delivery stream, or makes it what the document says; nothing: not now. kNotFound: a stream is missing;
  /// kFailedPrecondition: what exists cannot become this, so the file rests until it changes.
  std::function<std::optional<Result<DeliveryAnswer>>(const std::string& document, const std::string& path)> use;
};

class ConfigFolder {
 public:
  /// `env` outlives the folder.
  ConfigFolder(storage::Env& env, std::string dir, ConfigFolderUse use);

  void Look();

 private:
  struct File {
    std::string document = {};
    std::string name = {};  // of its delivery stream, where it is the file that counts for it
    std::string told = {};  // the problem that was logged last
    bool settled = false;   // nothing to do until it changes
  };

  void LookAt(const std::string& name);
  void Use(const std::string& path, File& file);
  /// The file that counts for this delivery stream, unless it is `file`; empty: none.
  std::string OtherOf(const std::string& name, const File& file) const;
  std::string PathOf(const std::string& name) const;

  storage::Env& env_;
  const std::string dir_;
  const ConfigFolderUse use_;
  std::map<std::string, File> files_;  // by name in the folder
  std::string told_;                   // why the folder could not be read
  bool looked_ = false;
};

}  // namespace sluice::delivery

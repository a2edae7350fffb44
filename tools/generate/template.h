// Templates of the Kinesis Data Generator: text with calls such as {{random.number({"min":10,"max":150})}}.
//
// A template is parsed once; each Render makes one record. What is random comes from the given generator, what the
// clock says from the given times, so that the same seed and times make the same records. Threads: one per generator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"
#include "tools/generate/random.h"

namespace sluice::tools {

/// What a record's functions may look at.
struct RenderContext {
  SeededRandom& random;
  std::int64_t now_ms = 0;        // since 1970
  std::int64_t simulated_ms = 0;  // date.simTime: when the record is due
};

class Template {
 public:
  /// kInvalidArgument names `name`, line and column of the first mistake, and what may have been meant.
  static Result<Template> Parse(std::string_view text, std::string_view name);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// Replaces `out` by the next record.
  void Render(RenderContext& context, std::string& out) const;

 private:
  struct Piece;
  Template();
  std::vector<Piece> pieces_;
};

/// The names of all functions, sorted.
std::vector<std::string> TemplateFunctionNames();

}  // namespace sluice::tools

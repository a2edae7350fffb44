// The members of a shape as paths.
#include <fmt/format.h>

#include "protocol/aws/shape.h"

namespace sluice::protocol::aws {

class MemberLister {
 public:
  void List(const Shape& shape, const std::string& path) {
    const Shape& inside = shape.type_ == Shape::Type::kList ? *shape.element_ : shape;
    if (inside.fields_.empty() && !path.empty()) paths_.push_back(path);
    for (const Shape::Field& field : inside.fields_) {
      List(*field.shape, path.empty() ? field.name : fmt::format("{}.{}", path, field.name));
    }
  }

  std::vector<std::string> Take() { return std::move(paths_); }

 private:
  std::vector<std::string> paths_;
};

std::vector<std::string> MemberPaths(const Shape& shape) {
  MemberLister lister;
  lister.List(shape, "");
  return lister.Take();
}

}  // namespace sluice::protocol::aws

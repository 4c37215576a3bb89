#pragma once
#include <memory>
#include <string>
#include <vector>

#include "data/tokenizer/component.h"

namespace aha {

/// One step of `normalizer`: rewrites a text before it is split into words.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(std::string& text) const = 0;
};

/// The steps of a normalizer, sequences unrolled; none for null. UserError for what we do not have.
std::vector<std::unique_ptr<Normalizer>> make_normalizers(const Component& component);

}  // namespace aha

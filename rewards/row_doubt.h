#pragma once
#include <optional>
#include <string>

#include "trainer/core/json.h"

namespace aha {

/// A reward that can say, of a row that it can judge, why judging it tells nothing.
class DoubtsRows {
 public:
  virtual ~DoubtsRows() = default;
  /// Nothing for a row without fault.
  virtual std::optional<std::string> row_doubt(const Json& row) const = 0;
};

}  // namespace aha

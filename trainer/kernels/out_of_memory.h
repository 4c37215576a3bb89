#pragma once
#include "trainer/core/error.h"

namespace aha {

/// There is less memory, of a device or of the program, than was asked for. Work in smaller pieces may need no more
/// than there is.
class OutOfMemory : public UserError {
 public:
  using UserError::UserError;
};

}  // namespace aha

#include "trainer/core/error.h"

namespace aha {

void check(bool condition, std::string_view promise, const char* file, int line) {
  if (!condition) throw InternalError(fmt::format("{}:{}: {}", file, line, promise));
}

}  // namespace aha

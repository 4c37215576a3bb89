#pragma once

namespace aha {

/// Of `aha --version` and of checkpoints; CMakeLists.txt reads it from here.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace aha

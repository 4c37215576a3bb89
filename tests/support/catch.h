#pragma once
// Catch2 v2 (Debian 12) and v3 (Ubuntu 24.04) under one name. LibTorch defines a CHECK of its own that
// aborts: it goes first, so include ATen headers before this one.
#ifdef CHECK
#undef CHECK
#endif
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;                       // NOLINT
using Catch::Matchers::ContainsSubstring;  // NOLINT
namespace aha_test {
inline auto contains(const std::string& text) {
  return ContainsSubstring(text);
}
}  // namespace aha_test
#else
#include <catch2/catch.hpp>
namespace aha_test {
inline auto contains(const std::string& text) {
  return Catch::Matchers::Contains(text);
}
}  // namespace aha_test
#endif

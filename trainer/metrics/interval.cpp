#include "trainer/metrics/interval.h"

#include <fmt/format.h>

namespace aha {
namespace {

constexpr double kStandardErrors = 1.96;

}  // namespace

std::string accuracy_text(std::optional<double> accuracy, std::optional<double> standard_error) {
  auto text = accuracy ? fmt::format("{:.3f}", *accuracy) : "-";
  if (standard_error) text += fmt::format(" +- {:.3f}", kStandardErrors * *standard_error);
  return text;
}

}  // namespace aha

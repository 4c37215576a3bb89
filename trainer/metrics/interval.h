#pragma once
#include <optional>
#include <string>

namespace aha {

/// "0.712 +- 0.031": an accuracy and, where its standard error is known, the half width of its 95 %
/// interval (1.96 standard errors, the normal distribution's). "-" without a value.
std::string accuracy_text(std::optional<double> accuracy, std::optional<double> standard_error);

}  // namespace aha

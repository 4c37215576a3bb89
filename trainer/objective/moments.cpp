#include "trainer/objective/moments.h"

#include <algorithm>
#include <optional>

namespace aha {

Moments moments(std::span<const double> values, std::span<const double> weights, double ddof) {
  const auto weight = [&](std::size_t i) { return weights.empty() ? 1.0 : weights[i]; };
  Moments m;
  double total = 0;
  double sum = 0;
  std::optional<double> first;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (weight(i) == 0) continue;
    if (!first) first = values[i];
    m.flat = m.flat && values[i] == *first;
    total += weight(i);
    sum += weight(i) * values[i];
  }
  m.mean = first.value_or(0.0);
  if (m.flat) return m;
  m.mean = sum / total;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double deviation = values[i] - m.mean;
    if (weight(i) != 0) squares += weight(i) * deviation * deviation;
  }
  m.variance = squares / std::max(total - ddof, 1.0);
  return m;
}

}  // namespace aha

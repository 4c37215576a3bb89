#include "trainer/metrics/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace aha {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The key without its `<...>`.
std::string name_of(const KnownMetric& metric) {
  std::string name = metric.eval ? "aha_eval" : "aha";
  bool apart = true;
  bool inside = false;
  for (const char c : metric.info->key) {
    if (c == '<') inside = true;
    if (!inside && is_alnum(c)) {
      if (apart) name += '_';
      name += c;
    }
    apart = inside || !is_alnum(c);
    if (c == '>') inside = false;
  }
  return name;
}

/// "func" of "rewards/<func>/mean".
std::string_view placeholder(std::string_view pattern) {
  const auto open = pattern.find('<') + 1;
  return pattern.substr(open, pattern.find('>') - open);
}

std::string escaped(std::string_view text, bool quoted) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else if (c == '"' && quoted)
      result += "\\\"";
    else
      result += c;
  }
  return result;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void PrometheusText::add(const std::string& name, std::string_view help, double value,
                         const Labels& labels) {
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const Family& f) { return f.name == name; });
  if (family == families_.end())
    family = families_.insert(family, Family{name, escaped(help, false), ""});
  std::string list;
  for (const auto& [key, text] : labels)
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", key, escaped(text, true));
  if (!list.empty()) list = '{' + list + '}';
  family->samples += fmt::format("{}{} {}\n", name, list, number(value));
}

void PrometheusText::add(const MetricsRow& row) {
  for (const auto& [key, value] : row.entries()) {
    const auto metric = known_metric(key);
    Labels labels{{"stage", row.stage()}};
    if (!metric->set.empty()) labels.emplace_back("set", metric->set);
    if (!metric->name.empty()) labels.emplace_back(placeholder(metric->info->key), metric->name);
    const auto& info = *metric->info;
    add(name_of(*metric),
        info.unit.empty() ? std::string(info.meaning)
                          : fmt::format("{} [{}]", info.meaning, info.unit),
        value, labels);
  }
}

std::string PrometheusText::text() const {
  std::string text;
  for (const auto& family : families_)
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{2}", family.name, family.help,
                        family.samples);
  return text;
}

}  // namespace aha

#pragma once
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

namespace aha_test {

/// The samples of a page by name and labels. Throws for what Prometheus' text format 0.0.4 does not allow:
/// HELP and TYPE once before the samples of a name, which stand together, each with other labels.
inline std::map<std::string, std::string> samples_of(const std::string& page) {
  static const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*))");
  static const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="([^"\\\n]|\\[\\"n])*"(,[a-zA-Z_]\w*="([^"\\\n]|\\[\\"n])*")*\})? (NaN|[+-]Inf|-?\d+(\.\d+)?(e[+-]?\d+)?))re");
  const auto refuse = [](const std::string& line) { throw std::runtime_error(line); };
  if (page.empty() || page.back() != '\n') refuse("the page does not end a line");
  std::map<std::string, std::string> samples;
  std::set<std::string> said;
  std::string family;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (std::regex_match(line, parts, comment)) {
      family = parts[2];
      if (!said.insert(parts[1].str() + ' ' + family).second) refuse("twice: " + line);
      if (parts[1] == "TYPE" && parts[3] != "gauge") refuse(line);
    } else if (!std::regex_match(line, parts, sample) || parts[1] != family ||
               said.count("TYPE " + family) == 0 ||
               !samples.emplace(parts[1].str() + parts[2].str(), parts[6]).second) {
      refuse(line);
    }
  }
  return samples;
}

}  // namespace aha_test

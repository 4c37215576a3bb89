#include "trainer/report/csv.h"

#include <fmt/format.h>

namespace aha {
namespace {

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string csv_report(std::span<const RunRecord> runs) {
  std::string csv = "run,stage,step,global_step,metric,value\n";
  for (const auto& run : runs)
    for (const auto& stage : run.stages)
      for (const auto& [key, series] : stage.series)
        for (std::size_t i = 0; i < series.size(); ++i)
          csv += fmt::format("{},{},{:.0f},{:.0f},{},{}\n", cell(run.name), cell(stage.name),
                             series.steps[i],
                             series.steps[i] + static_cast<double>(stage.first_global_step),
                             cell(key), series.values[i]);
  return csv;
}

}  // namespace aha

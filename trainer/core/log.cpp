#include "trainer/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "trainer/core/error.h"

namespace aha {

void init_log(bool verbose) {
  auto logger = std::make_shared<spdlog::logger>(
      "aha", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%^%v%$");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_to_file(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    sink->set_pattern("%Y-%m-%d %H:%M:%S %L %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    fail("{}: cannot be written: {}", path.string(), error.what());
  }
}

}  // namespace aha

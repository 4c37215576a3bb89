#include "trainer/commands/shared.h"

#include <spdlog/spdlog.h>

#include <fstream>
#include <iostream>

#include "trainer/config/rules.h"
#include "trainer/core/error.h"

namespace aha {

Input::Input(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  if (path == "-") return;
  file_ = std::make_unique<std::ifstream>(path, std::ios::binary);
  // a folder opens, but cannot be read
  if (!*file_ || (file_->peek(), file_->bad())) fail("{}: cannot be read", path);
  file_->clear();
}

Input::~Input() = default;

std::istream& Input::stream() {
  return file_ ? *file_ : std::cin;
}

void for_each_row(const std::string& path,
                  const std::function<void(Json&&, const std::string& where)>& row) {
  Input input(path);
  std::int64_t number = 0;
  for (std::string line; std::getline(input.stream(), line);) {
    const std::string where = fmt::format("{}:{}", input.name(), ++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json json = parse_json(line, where);
    if (!json.is_object()) fail("{}: a row is a JSON object, such as {{\"text\": \"...\"}}", where);
    row(std::move(json), where);
  }
}

const char* finish_name(FinishReason finish) {
  switch (finish) {
    case FinishReason::Stop:
      return "stop";
    case FinishReason::String:
      return "string";
    case FinishReason::Length:
      return "length";
  }
  return "length";
}

void say_warnings(const Config& config) {
  for (const auto& warning : config_warnings(config))
    spdlog::warn("{}", warning);
}

}  // namespace aha

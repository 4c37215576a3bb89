#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "trainer/config/load.h"
#include "trainer/core/json.h"
#include "trainer/core/types/completion.h"

namespace aha {

/// A file, or standard input for "-". UserError when it cannot be read.
class Input {
 public:
  explicit Input(const std::string& path);
  ~Input();
  std::istream& stream();
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<std::istream> file_;  ///< null: standard input
};

/// Calls `row` for each JSONL object of a file ("-": standard input) with where it stands. Blank lines
/// are passed over; UserError "FILE:LINE: ..." for what is no object.
void for_each_row(const std::string& path,
                  const std::function<void(Json&&, const std::string& where)>& row);

/// How prompts are made, where a command line says it.
struct PromptArguments {
  std::string prompt_template = "raw";
  std::string field = "question";
  std::string system_prompt;
  std::string date;
  std::string variables;  ///< JSON
};

void add_prompt_options(CLI::App& command, PromptArguments& arguments);

/// As the data section of a configuration. UserError for variables that are no JSON object.
DataSection data_section(const PromptArguments& arguments);

/// Of the option --context.
inline constexpr const char* kContextHelp =
    "tokens of the longest sequence meant: longrope models take their long factors when it is more "
    "than their original context";

/// --storage: as model.storage.
void add_storage_option(CLI::App& command, std::string& storage);

/// --device: as `device` of a configuration.
void add_device_option(CLI::App& command, std::string& device);

/// "stop", "string" or "length".
const char* finish_name(FinishReason finish);

/// Warnings of a configuration, on the log.
void say_warnings(const Config& config);

}  // namespace aha

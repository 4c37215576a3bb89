#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace aha {

/// A subcommand's work, set by CLI11 when its arguments were parsed; returns the exit code.
using Action = std::function<int()>;

// Each adds its subcommand to `app` and, when that is called, sets `action`. One file a subcommand.
void add_train(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_logprobs(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_data(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_config(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_watch(CLI::App& app, Action& action);
void add_import_gguf(CLI::App& app, Action& action);

}  // namespace aha

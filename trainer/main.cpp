#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "trainer/commands/commands.h"
#include "trainer/core/error.h"
#include "trainer/core/log.h"
#include "trainer/core/version.h"
#include "trainer/kernels/cuda_library.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"aha trains language models to reason with GRPO."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("aha ") + aha::kVersion);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "say more");
  aha::Action action;
  aha::add_train(app, action);
  aha::add_check(app, action);
  aha::add_eval(app, action);
  aha::add_generate(app, action);
  aha::add_score(app, action);
  aha::add_logprobs(app, action);
  aha::add_tokenize(app, action);
  aha::add_data(app, action);
  aha::add_inspect(app, action);
  aha::add_config(app, action);
  aha::add_report(app, action);
  aha::add_watch(app, action);
  aha::add_import_gguf(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : aha::kExitUserError;
  }
  aha::init_log(verbose);
  const int code = action();
  // results that a full disk swallowed are no success
  if (!std::cout.flush())
    aha::fail("standard output: cannot be written, the results are incomplete");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // a file-size limit is then an error of the write, which is reported like a full disk
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const aha::UserError& error) {
    spdlog::error("aha: {}", error.what());
    return aha::kExitUserError;
  } catch (const aha::CommError& error) {
    spdlog::error("aha: {}", error.what());
    spdlog::default_logger()->flush();
    std::_Exit(aha::kExitTryAgain);  // a thread may wait in a collective that nothing ends
  } catch (const aha::DeviceError& error) {
    spdlog::error("aha: the GPU failed: {}", error.what());
    spdlog::default_logger()->flush();
    std::_Exit(aha::kExitTryAgain);  // what would be freed on the GPU is lost with it
  } catch (const std::exception& error) {
    spdlog::error("aha: a bug: {}", error.what());
    return aha::kExitBug;
  }
}

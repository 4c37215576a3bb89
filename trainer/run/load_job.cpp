#include "trainer/run/load_job.h"

#include <fmt/format.h>

#include "data/tasks/task.h"
#include "rewards/registry.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// A name is right when what it names can be made.
class NameRules {
 public:
  explicit NameRules(std::string stage) : stage_(std::move(stage)) {}

  template <class Make>
  void require(const std::string& key, const Make& make) {
    try {
      make();
    } catch (const UserError& error) {
      broken_.push_back({stage_, key, error.what()});
    }
  }

  void check_source(const std::string& key, const DataSource& source) {
    if (!source.task.empty())
      require(key + ".task", [&] { make_task(source.task, source.task_options); });
  }

  std::vector<BrokenRule> take() { return std::move(broken_); }

 private:
  std::string stage_;
  std::vector<BrokenRule> broken_;
};

std::vector<BrokenRule> broken_names(const StageConfig& stage) {
  NameRules rules(stage.name);
  rules.check_source("data.train", stage.data.train);
  for (const auto& [name, source] : stage.data.eval)
    rules.check_source("data.eval." + name, source);
  const auto& functions = stage.reward.functions;
  for (std::size_t i = 0; i < functions.size(); ++i)
    if (!functions[i].name.empty())  // load_config has said that it has none
      rules.require(fmt::format("reward.functions.{}", i),
                    [&] { make_reward(functions[i].name, functions[i].options); });
  return rules.take();
}

}  // namespace

Config load_job(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  return load_config(path, overrides, broken_names);
}

}  // namespace aha

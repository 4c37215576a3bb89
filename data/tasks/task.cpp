#include "data/tasks/task.h"

#include <array>

#include "data/tasks/countdown.h"
#include "data/tasks/countdown_wait.h"
#include "data/tasks/parity.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

template <class T>
std::unique_ptr<Task> made(const TaskOptions& options) {
  return std::make_unique<T>(options);
}

/// Every task. One more generator is one more line.
constexpr std::array kTasks = {
    TaskInfo{"countdown_wait",
             "three numbers and a target in a vocabulary of 110 words; guess, check, wait",
             &made<CountdownWaitTask>},
    TaskInfo{"parity", "parity of a row of bits in a vocabulary of 6 words; long and short answers",
             &made<ParityTask>},
    TaskInfo{"countdown", "numbers and a target in natural text, with think and answer tags",
             &made<CountdownTask>},
};

}  // namespace

std::span<const TaskInfo> task_table() {
  return kTasks;
}

std::unique_ptr<Task> make_task(const std::string& name, const TaskOptions& options) {
  std::vector<std::string> names;
  for (const auto& task : kTasks) {
    if (name == task.name) return task.make(options);
    names.emplace_back(task.name);
  }
  const auto near = nearest(name, names);
  fail("there is no task '{}'; there are {}{}", name, join_list(names),
       near.empty() ? "" : fmt::format(" (the nearest is '{}')", near));
}

}  // namespace aha

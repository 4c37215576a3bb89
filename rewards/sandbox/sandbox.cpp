#include "rewards/sandbox/sandbox.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>

#include "rewards/sandbox/running.h"
#include "rewards/sandbox/slots.h"
#include "rewards/sandbox/visible_paths.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/parallel.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostProcesses = 64;
constexpr std::int64_t kMostOpenFiles = 64;
constexpr std::int64_t kStackBytes = std::int64_t{64} << 20;
constexpr std::int64_t kCompilerFileBytes = std::int64_t{16} << 20;
/// Ids that systemd too gives to services that come and go: no one else's.
constexpr uid_t kFirstUser = 61184;
constexpr uid_t kUsers = 4096;

char* const kEnvironment[] = {  // NOLINT: exec wants them so
    const_cast<char*>("PATH=/usr/local/bin:/usr/bin:/bin"),
    const_cast<char*>("LANG=C.UTF-8"),
    const_cast<char*>("HOME=."),
    const_cast<char*>("TMPDIR=."),
    const_cast<char*>("PYTHONHASHSEED=0"),
    const_cast<char*>("PYTHONDONTWRITEBYTECODE=1"),
    const_cast<char*>("OMP_NUM_THREADS=1"),
    const_cast<char*>("OPENBLAS_NUM_THREADS=1"),
    nullptr};

/// Processes of this user, threads included, as a limit on processes counts them.
std::int64_t threads_of_user() {
  std::int64_t threads = 0;
  std::error_code error;
  for (fs::directory_iterator all("/proc", error), end; !error && all != end;
       all.increment(error)) {
    struct stat about {};
    if (stat(all->path().c_str(), &about) != 0 || about.st_uid != geteuid()) continue;
    std::ifstream status(all->path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("Threads:")) threads += std::atoll(line.c_str() + 8);
  }
  return threads;
}

/// From the strongest to the weakest.
std::vector<Layers> candidates(const SandboxOptions& options) {
  const bool root = geteuid() == 0;
  const bool landlock = options.landlock && landlock_version() > 0;
  std::vector<Layers> all;
  for (const bool filter : {true, false}) {
    for (const bool paths : {landlock, false}) {
      if (options.namespaces && root) all.push_back({true, false, paths, true, filter});
      if (options.namespaces) all.push_back({true, true, paths, false, filter});
      if (root) all.push_back({false, false, paths, true, filter});
      all.push_back({false, false, paths, false, filter});
      if (!landlock) break;
    }
  }
  const auto walls = [](const Layers& l) {
    return (l.filter ? 2 : 0) + (l.namespaces || l.landlock);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Layers& a, const Layers& b) { return walls(a) > walls(b); });
  return all;
}

}  // namespace

std::string SandboxResult::reason() const {
  switch (end) {
    case SandboxEnd::CpuLimit:
      return "time limit";
    case SandboxEnd::WallLimit:
      return "time limit (by the clock)";
    case SandboxEnd::OutputLimit:
      return "output limit";
    case SandboxEnd::Signalled:
      return fmt::format("signal {} ({})", code, strsignal(code));
    case SandboxEnd::Exited:
      break;
  }
  const auto said = trimmed(errors);
  const auto last = trimmed(said.substr(said.rfind('\n') + 1));
  return last.empty() ? fmt::format("exit code {}", code)
                      : fmt::format("exit code {}: {}", code, clipped(last));
}

Sandbox::Sandbox(SandboxOptions options)
    : options_(std::move(options)),
      root_(home_.path() / "root"),
      paths_(visible_paths(options_.paths)),
      parents_(parents_of(paths_)),
      program_filter_(system_call_filter(SandboxRole::Program)),
      compiler_filter_(system_call_filter(SandboxRole::Compiler)),
      dumpable_(prctl(PR_GET_DUMPABLE) == 1 ? 1 : 0),
      slots_(std::make_unique<Slots>(static_cast<std::size_t>(available_cores()))) {
  make_folder(root_);
  choose_layers();
}

Sandbox::~Sandbox() = default;

fs::path Sandbox::new_folder() const {
  std::string name = (home_.path() / "program_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail("{}: {}", name, std::strerror(errno));
  chmod(name.c_str(), 0755);
  return name;
}

/// Why these layers cannot be had; empty when they can.
std::string Sandbox::tried(const Layers& layers) {
  layers_ = layers;
  const bool counted = layers.own_user || layers.user_namespace;
  most_processes_ = counted ? kMostProcesses : threads_of_user() + 1024;
  try {
    const auto result = run({{"/bin/true"}, root_});
    return result.succeeded() ? "" : result.reason();
  } catch (const UserError& error) {
    return error.what();
  }
}

void Sandbox::choose_layers() {
  std::string why;
  for (const auto& layers : candidates(options_)) {
    if (layers.filter && program_filter_.empty()) continue;
    const auto problem = tried(layers);
    if (why.empty()) why = problem;
    if (problem.empty() && (isolated() || options_.allow_no_isolation)) return;
  }
  layers_ = {};
  fail(
      "untrusted programs cannot be isolated here ({}): the system must grant a filter of system "
      "calls (seccomp), and user namespaces or Landlock; or set allow_no_isolation: true",
      why.empty() ? "no namespaces, no Landlock" : why);
}

std::string Sandbox::isolation() const {
  std::vector<std::string> parts;
  if (layers_.namespaces)
    parts.push_back(fmt::format("namespaces ({}process, mount, network, IPC)",
                                layers_.user_namespace ? "user, " : ""));
  if (layers_.landlock) parts.push_back(fmt::format("Landlock {}", landlock_version()));
  if (layers_.filter) parts.emplace_back("system-call filter");
  if (layers_.own_user) parts.emplace_back("own user id");
  parts.emplace_back("limits");
  return (isolated() ? "" : "NO ISOLATION but ") + join_list(parts);
}

ChildPlan Sandbox::plan_of(const SandboxTask& task, std::size_t slot) const {
  const bool compiler = task.role == SandboxRole::Compiler;
  ChildPlan plan;
  plan.layers = layers_;
  plan.paths = paths_;
  plan.parents = parents_;
  plan.root = root_;
  plan.folder = task.folder;
  plan.folder_writable = compiler;
  constexpr int kInside = 1000;  // not root: capabilities end with exec
  plan.uid_map = fmt::format("{} {} 1", kInside, geteuid());
  plan.gid_map = fmt::format("{} {} 1", kInside, getegid());
  plan.user = kFirstUser + (static_cast<uid_t>(getpid()) * 61 + static_cast<uid_t>(slot)) % kUsers;
  if (layers_.filter) plan.filter = compiler ? compiler_filter_ : program_filter_;
  const auto& limits = task.limits;
  const auto add = [&plan](int resource, std::int64_t most) {
    plan.limits.emplace_back(resource, static_cast<rlim_t>(most));
  };
  add(RLIMIT_CORE, 0);
  add(RLIMIT_CPU, limits.cpu_s);
  add(RLIMIT_AS, limits.memory_bytes);
  add(RLIMIT_FSIZE, compiler ? kCompilerFileBytes : 0);
  add(RLIMIT_NOFILE, kMostOpenFiles);
  add(RLIMIT_NPROC, most_processes_);
  add(RLIMIT_STACK, std::min(kStackBytes, limits.memory_bytes));
  add(RLIMIT_MEMLOCK, 0);
  add(RLIMIT_MSGQUEUE, 0);
  add(RLIMIT_SIGPENDING, 1024);
  for (const auto& word : task.command)
    plan.command.push_back(const_cast<char*>(word.c_str()));  // exec does not write to it
  plan.command.push_back(nullptr);
  plan.environment.assign(std::begin(kEnvironment), std::end(kEnvironment));
  if (compiler && layers_.own_user &&
      chown(task.folder.c_str(), plan.user, static_cast<gid_t>(plan.user)) != 0)
    fail("{}: {}", task.folder.string(), std::strerror(errno));
  return plan;
}

SandboxResult Sandbox::run(const SandboxTask& task) const {
  const Slots::Place place(*slots_);
  auto plan = plan_of(task, place.index());
  const auto input = sealed_file(task.input);
  auto [output, output_end] = new_pipe();
  auto [errors, errors_end] = new_pipe();
  plan.streams[0] = input.get();
  plan.streams[1] = output_end.get();
  plan.streams[2] = errors_end.get();
  RunningProgram running(start_child(plan, place.stack()), task.limits, std::move(output),
                         std::move(errors));
  if (layers_.own_user)
    prctl(PR_SET_DUMPABLE, dumpable_);  // shared memory: the child's was cleared
  output_end.close();
  errors_end.close();
  while (!running.ended())
    RunningProgram::look_at({&running, 1});
  return running.take_result();
}

Sandbox::Pair Sandbox::run_pair(const SandboxTask& judge, const SandboxTask& judged) const {
  const Slots::Place place(*slots_);
  auto [from_judge, judge_out] = new_pipe();
  auto [from_judged, judged_out] = new_pipe();
  std::vector<RunningProgram> both;
  const auto start = [&](const SandboxTask& task, const OwnedFile& in, const OwnedFile& out) {
    auto plan = plan_of(task, place.index());
    auto [errors, errors_end] = new_pipe();
    plan.streams[0] = in.get();
    plan.streams[1] = out.get();
    plan.streams[2] = errors_end.get();
    both.emplace_back(start_child(plan, place.stack()), task.limits, OwnedFile(),
                      std::move(errors));
    if (layers_.own_user) prctl(PR_SET_DUMPABLE, dumpable_);
  };
  both.reserve(2);
  start(judge, from_judged, judge_out);
  start(judged, from_judge, judged_out);
  // the programs must see the end of each other
  for (auto* file : {&from_judge, &judge_out, &from_judged, &judged_out})
    file->close();
  while (!both[0].ended())
    RunningProgram::look_at(both);
  both[1].look();
  both[1].stop();
  return {both[0].take_result(), both[1].take_result()};
}

}  // namespace aha

#pragma once
#include <cstdlib>
#include <cstring>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

namespace aha_test {

namespace fs = std::filesystem;

/// The state that a run ends with: checkpoints byte for byte but for trainer_state.json's offsets of
/// TensorBoard, completions, and metrics without times.
struct Outcome {
  std::map<std::string, std::string> checkpoint;
  std::map<std::string, std::string> completions;
  std::vector<std::string> metrics;
};

/// The tensors of a safetensors file by name, as bytes with dtype; what several ranks have cut into
/// NAME[begin:end] is put together when the files are taken in the order of their names.
inline void add_tensors(const std::string& file, std::map<std::string, std::string>& tensors) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const auto header = aha::Json::parse(file.substr(sizeof length, length));
  const auto data = std::string_view(file).substr(sizeof length + length);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
    const auto end = entry.at("data_offsets").at(1).get<std::size_t>();
    tensors[name.substr(0, name.find('[')) + " " + entry.at("dtype").get<std::string>()] +=
        data.substr(begin, end - begin);
  }
}

/// The files of a checkpoint, but what depends on how many ranks wrote it: the optimizer's tensors in place
/// of its files. Checksums go with the files.
inline std::map<std::string, std::string> checkpoint_files(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& [name, bytes] : files_below(folder)) {
    const bool optimizer = name.starts_with("optimizer/");
    if (fs::path(name).filename() == "checksums.json") continue;
    if (!optimizer)
      files[name] = bytes;
    else if (name.ends_with(".safetensors"))
      add_tensors(bytes, files);
  }
  return files;
}

/// metrics.jsonl and TensorBoard files hold times, whose text may be longer or shorter.
inline std::string without_offsets(const std::string& state) {
  auto json = aha::OrderedJson::parse(state);
  json.erase("offsets");
  return json.dump();
}

inline Outcome outcome_of(const fs::path& run) {
  Outcome outcome{checkpoint_files(fs::canonical(run / "latest")), files_below(run / "completions"),
                  metrics_without_times(run)};
  auto& state = outcome.checkpoint.at("trainer_state.json");
  state = without_offsets(state);
  return outcome;
}

inline void require_equal(const Outcome& a, const Outcome& b) {
  REQUIRE(a.checkpoint.size() == b.checkpoint.size());
  for (const auto& [name, bytes] : a.checkpoint) {
    INFO(name);
    REQUIRE(b.checkpoint.count(name) == 1);
    CHECK((bytes == b.checkpoint.at(name)));
  }
  CHECK((a.completions == b.completions));
  CHECK(a.metrics == b.metrics);
}

/// How often a run is killed at most, and a job that is long enough for it. AHA_TEST_KILLS asks for more than
/// there is time for in every test.
struct Kills {
  explicit Kills(int usual) : most(usual) {
    if (const char* asked = std::getenv("AHA_TEST_KILLS")) most = std::atoi(asked);
    const int steps = most > usual ? 15 * most : 150;  // of a millisecond each, where machines are fast
    settings = {"--set", "stages.grpo.train.max_steps=" + std::to_string(steps)};
  }
  int most;
  std::vector<std::string> settings;
};

/// A small job in a folder of its own.
struct Job {
  explicit Job(const std::string& more = "") : run(folder / "run"), config(folder / "job.yaml") {
    spill(config, small_job(run, more));
  }
  std::vector<std::string> command(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", config.string()});
    return more;
  }
  Outcome finished() {
    const auto end = run_aha(command());
    INFO(end.err);
    REQUIRE(end.code == 0);
    return outcome_of(run);
  }
  TempFolder folder;
  fs::path run, config;
};

}  // namespace aha_test

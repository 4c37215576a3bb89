#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "trainer/checkpoint/state.h"
#include "trainer/metrics/console.h"
#include "trainer/metrics/jsonl.h"
#include "trainer/metrics/tensorboard.h"
#include "trainer/run/stage.h"

namespace aha {

/// Everything a run writes while it goes: metrics.jsonl, completions/{train,eval}.jsonl, tensorboard/ and
/// the console's line. Append-only files are cut to a checkpoint's offsets on resume.
class Journal {
 public:
  /// Opens the files below `output_dir`; `offsets` are those of the state that the run goes on from.
  Journal(const std::filesystem::path& output_dir,
          const std::map<std::string, std::int64_t>& offsets, bool tensorboard);

  void write(const MetricsRow& row);
  void write_train(const Stage& stage, const std::vector<Group>& groups,
                   const std::vector<std::vector<float>>& advantages);
  void write_eval(const Stage& stage, const EvalSet& set, const std::vector<Group>& groups);

  /// Bytes of each file, keyed by its path below output_dir.
  std::map<std::string, std::int64_t> offsets() const;
  void sync();

 private:
  void write_completions(JsonlWriter& file, const Stage& stage, const std::vector<Group>& groups,
                         const std::vector<std::vector<float>>* advantages);

  JsonlWriter metrics_;
  JsonlWriter train_;
  JsonlWriter eval_;
  std::optional<TensorboardWriter> tensorboard_;
};

}  // namespace aha

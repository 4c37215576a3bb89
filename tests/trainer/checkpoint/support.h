#pragma once
// A trained policy to save, and what a folder of checkpoints holds.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/core/file.h"

namespace aha_test {

using namespace aha;  // NOLINT
namespace fs = std::filesystem;

inline ModelConfig tiny() {
  ModelConfig c;
  c.vocab_size = 9;
  c.hidden_size = 8;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 2;
  c.num_key_value_heads = 1;
  c.head_dim = 4;
  c.intermediate_size = 12;
  c.max_position_embeddings = 32;
  c.bos_token_id = 1;
  c.eos_token_ids = {2};
  return c;
}

/// A policy after some training: every number different, and none of them a bfloat16.
struct Trained {
  ModelConfig config = tiny();
  ParameterLayout layout = make_layout(config);
  Tensor values = init_parameters(layout, config, 7);
  Moments moments{init_parameters(layout, config, 8), init_parameters(layout, config, 9)};
  Tensor reference = init_parameters(layout, config, 10);
  std::string dtype = "float32";
  bool with_reference = false;

  Slice all() const { return {0, layout.total}; }
  Tensor master(Slice own) const {
    return dtype == "float32" ? Tensor() : values.slice(0, own.begin, own.end);
  }

  /// What rank `rank` of those that own `slices` saves.
  CheckpointParts parts(const std::vector<Slice>& slices, std::size_t rank) const {
    const auto [begin, end] = slices.at(rank);
    const Moments own{moments.exp_avg.slice(0, begin, end),
                      moments.exp_avg_sq.slice(0, begin, end)};
    return {config,
            layout,
            values,
            {slices, rank, own, master(slices[rank])},
            with_reference ? reference : Tensor(),
            {{"tokenizer.json", "{}"}, {"additional_chat_templates/tool.jinja", "{{ 1 }}"}},
            dtype};
  }
  CheckpointParts parts() const { return parts({all()}, 0); }
};

inline TrainerState state_at(std::int64_t step) {
  TrainerState s;
  s.stage = "grpo";
  s.step = step;
  s.global_step = step;
  s.offsets = {{"metrics.jsonl", 12}};
  s.cpu_body = "portable";
  return s;
}

inline LoadedCheckpoint load(const fs::path& folder, const ParameterLayout& layout) {
  return load_checkpoint(folder, layout, {0, layout.total});
}

inline std::optional<LoadedCheckpoint> newest_of(const fs::path& checkpoints,
                                                 const ParameterLayout& layout) {
  return load_newest(checkpoints, [&](const fs::path& folder) { return load(folder, layout); });
}

/// A checkpoint that several ranks write, one after the other.
inline fs::path save_shards(const fs::path& checkpoints, const Trained& run,
                            const std::vector<Slice>& slices, const TrainerState& state) {
  const auto partial = begin_checkpoint(checkpoints, state.global_step);
  Checksums others;
  for (std::size_t rank = 1; rank < slices.size(); ++rank)
    others.add(write_own_part(partial, run.parts(slices, rank)));
  const auto lead = run.parts(slices, 0);
  return finish_checkpoint(partial, lead, state, [&] {
    Checksums all = write_own_part(partial, lead);
    all.add(others);
    return all;
  });
}

inline std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  return files;
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.numel() == b.numel() &&
         std::memcmp(a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                     static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

/// What is logged while it lives.
class Captured {
 public:
  Captured() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~Captured() { spdlog::set_default_logger(before_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

}  // namespace aha_test

#include "trainer/checkpoint/checkpoint.h"

#include <ATen/ops/zeros.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/full_disk.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"
#include "trainer/model/safetensors.h"

using namespace aha;
using aha_test::contains;
using aha_test::TempFolder;
namespace fs = std::filesystem;

namespace {

ModelConfig tiny() {
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

TrainerState state_at(std::int64_t step) {
  TrainerState s;
  s.stage = "grpo";
  s.step = step;
  s.global_step = step;
  s.offsets = {{"metrics.jsonl", 12}};
  s.cpu_body = "portable";
  return s;
}

LoadedCheckpoint load(const fs::path& folder, const ParameterLayout& layout) {
  return load_checkpoint(folder, layout, {0, layout.total});
}

std::optional<LoadedCheckpoint> newest_of(const fs::path& checkpoints,
                                          const ParameterLayout& layout) {
  return load_newest(checkpoints, [&](const fs::path& folder) { return load(folder, layout); });
}

/// A checkpoint that several ranks write, one after the other.
fs::path save_shards(const fs::path& checkpoints, const Trained& run,
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

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  return files;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.numel() == b.numel() &&
         std::memcmp(a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                     static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

void cut_to_half(const fs::path& file) {
  fs::resize_file(file, fs::file_size(file) / 2);
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

/// Rewrites the optimizer's file of a checkpoint with other tensors.
void write_moments(const fs::path& folder, const std::vector<std::int64_t>& shape, bool all) {
  const Trained run;
  std::vector<NamedTensor> tensors;
  for (const auto& p : run.layout.parameters)
    for (const char* kind : {"exp_avg.", "exp_avg_sq."}) {
      const std::span<const float> values(run.values.const_data_ptr<float>() + p.offset,
                                          static_cast<std::size_t>(p.size));
      const bool changed = p.name == "model.norm.weight";
      if (changed && !all) continue;
      tensors.push_back({kind + p.name, changed ? shape : p.shape, values});
    }
  write_safetensors(folder / "optimizer/state.safetensors", tensors);
  fs::remove(folder / "optimizer/checksums.json");  // it was changed on purpose
}

void flip(const fs::path& file, std::size_t at) {
  auto bytes = read_file(file);
  bytes.at(at) = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

/// A file with the one tensor NAME of n elements, as another program might write it.
void write_piece(const fs::path& file, const std::string& name, std::int64_t n) {
  const std::vector<float> values(static_cast<std::size_t>(n), 1.0F);
  const std::vector<NamedTensor> tensors{{name, {n}, std::span<const float>(values)}};
  write_safetensors(file, tensors);
}

}  // namespace

TEST_CASE("checkpoint: save, load, save gives the same bytes", "[checkpoint]") {
  for (const char* dtype : {"float32", "bfloat16"})
    for (const bool with_reference : {false, true}) {
      Trained run;
      run.dtype = dtype;
      run.with_reference = with_reference;
      const TempFolder first;
      const TempFolder second;
      const auto saved = save_checkpoint(first / "checkpoints", run.parts(), state_at(5));
      const auto loaded = load(saved, run.layout);
      CHECK(loaded.state == state_at(5));
      CHECK(same(loaded.values, run.values));
      CHECK(same(loaded.moments.exp_avg, run.moments.exp_avg));
      CHECK(same(loaded.moments.exp_avg_sq, run.moments.exp_avg_sq));
      REQUIRE(loaded.reference.has_value() == with_reference);
      if (with_reference) CHECK(same(*loaded.reference, run.reference));

      Trained again;
      again.values = loaded.values;
      again.moments = loaded.moments;
      again.dtype = dtype;
      again.with_reference = with_reference;
      const auto copy = save_checkpoint(second / "checkpoints", again.parts(), loaded.state);
      CHECK(files_of(copy) == files_of(saved));
    }
}

TEST_CASE("checkpoint: nothing in it names a host, a folder or a time", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  for (const auto& [name, bytes] :
       files_of(save_checkpoint(folder / "checkpoints", run.parts(), state_at(5)))) {
    INFO(name);
    CHECK(bytes.find(folder.path().string()) == std::string::npos);
    CHECK(bytes.find(fs::current_path().string()) == std::string::npos);
    if (std::strlen(host) > 3) CHECK(bytes.find(host) == std::string::npos);
  }
}

TEST_CASE("checkpoint: latest is a relative link to the newest, and moves with it",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  CHECK(fs::read_symlink(folder / "latest") == "checkpoints/step_5");
  save_checkpoint(folder / "checkpoints", run.parts(), state_at(10));
  CHECK(fs::read_symlink(folder / "latest") == "checkpoints/step_10");
  CHECK(load(folder / "latest", run.layout).state.step == 10);
  fs::rename(folder / "checkpoints", folder / "moved");
  CHECK_THROWS_AS(load(folder / "latest", run.layout), UserError);
}

TEST_CASE("checkpoint: saving a step again replaces it as a whole", "[checkpoint]") {
  Trained run;
  const TempFolder folder;
  run.with_reference = true;
  save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  run.with_reference = false;
  const auto saved = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  CHECK_FALSE(load(saved, run.layout).reference.has_value());
  CHECK(std::distance(fs::directory_iterator(folder / "checkpoints"), {}) == 1);
}

TEST_CASE("checkpoint: a half-written newest one is passed over, and the log says so",
          "[checkpoint]") {
  for (const char* name :
       {"trainer_state.json", "config.json", "model.safetensors", "optimizer/state.safetensors",
        "optimizer/master.safetensors", "reference/model.safetensors"})
    for (const bool gone : {false, true}) {
      if (gone && std::string(name).starts_with("reference/")) continue;  // tested with its folder
      INFO(name << (gone ? " gone" : " cut"));
      Trained run;
      run.dtype = "bfloat16";
      run.with_reference = true;
      const TempFolder folder;
      const auto checkpoints = folder / "checkpoints";
      save_checkpoint(checkpoints, run.parts(), state_at(5));
      const auto newest = save_checkpoint(checkpoints, run.parts(), state_at(10));
      if (gone)
        fs::remove(newest / name);
      else
        cut_to_half(newest / name);
      const Captured log;
      const auto loaded = newest_of(checkpoints, run.layout);
      REQUIRE(loaded.has_value());
      CHECK(loaded->state.step == 5);
      CHECK_THAT(log.text(), contains("step_10 is passed over: "));
      CHECK_THAT(log.text(), contains(fs::path(name).filename().string()));
    }
}

TEST_CASE("checkpoint: none at all is nothing; none that can be read is a user's error",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const Captured log;
  CHECK_FALSE(newest_of(folder / "checkpoints", run.layout).has_value());
  const auto only = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  cut_to_half(only / "model.safetensors");
  CHECK_THROWS_WITH(newest_of(folder / "checkpoints", run.layout),
                    contains("no checkpoint there can be read"));
}

TEST_CASE("checkpoint: a missing tensor or another shape names the file and the tensor",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto saved = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  write_moments(saved, {}, false);
  CHECK_THROWS_WITH(load(saved, run.layout),
                    contains("optimizer/state.safetensors") && contains("model.norm.weight"));
  write_moments(saved, {2, 4}, true);  // as many values, another shape
  CHECK_THROWS_WITH(load(saved, run.layout),
                    contains("optimizer/state.safetensors") && contains("[2, 4], expected [8]"));
  auto other = tiny();
  other.intermediate_size = 16;
  CHECK_THROWS_WITH(load(saved, make_layout(other)), contains("model.safetensors"));
}

TEST_CASE("checkpoint: one changed byte of any file is found, and the one before it is taken",
          "[checkpoint]") {
  Trained run;
  run.dtype = "bfloat16";
  run.with_reference = true;
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  save_checkpoint(checkpoints, run.parts(), state_at(5));
  const std::vector<Slice> slices{{0, 300}, {300, run.layout.total}};
  for (const bool sharded : {false, true}) {
    const auto last = sharded ? save_shards(checkpoints, run, slices, state_at(10))
                              : save_checkpoint(checkpoints, run.parts(), state_at(10));
    const auto files = files_of(last);
    CHECK(files.size() == (sharded ? 18 : 14));
    for (const auto& [name, bytes] : files)
      for (const std::size_t at : {std::size_t{0}, bytes.size() / 3, bytes.size() - 1}) {
        INFO(name << " byte " << at);
        flip(last / name, at);
        const Captured log;
        const auto loaded = newest_of(checkpoints, run.layout);
        REQUIRE(loaded.has_value());
        CHECK(loaded->state.step == 5);
        CHECK_THAT(log.text(), contains("step_10 is passed over: "));
        flip(last / name, at);
      }
    CHECK(newest_of(checkpoints, run.layout)->state.step == 10);
  }
}

TEST_CASE("checkpoint: a changed tensor is named with its file", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto saved = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  for (const char* file : {"model.safetensors", "optimizer/state.safetensors"}) {
    const SafetensorsFile stored(saved / file);
    for (const auto& [name, tensor] : stored.tensors()) {
      flip(saved / file, tensor.begin + 5);
      CHECK_THROWS_WITH(load(saved, run.layout),
                        contains((saved / file).string()) && contains("\"" + name + "\"") &&
                            contains("damaged") && contains("checksums.json"));
      flip(saved / file, tensor.begin + 5);
    }
  }
}

TEST_CASE("checkpoint: without checksums, as before there were any, it loads", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto saved = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  fs::remove(saved / "checksums.json");
  fs::remove(saved / "optimizer/checksums.json");
  CHECK(same(load(saved, run.layout).moments.exp_avg, run.moments.exp_avg));
}

TEST_CASE("checkpoint: shards of any ranks are read by any other ranks", "[checkpoint]") {
  const auto cuts = [](std::vector<std::int64_t> at) {
    std::vector<Slice> slices;
    for (std::size_t i = 0; i + 1 < at.size(); ++i)
      slices.push_back({at[i], at[i + 1]});
    return slices;
  };
  Trained run;
  run.dtype = "bfloat16";
  const auto n = run.layout.total;
  const std::vector<std::vector<Slice>> ways = {
      {run.all()}, cuts({0, 100, n}), cuts({0, 70, 71, n / 2, n}), cuts({0, n / 3, n, n, n})};
  for (const auto& written : ways) {
    const TempFolder folder;
    const auto saved = save_shards(folder / "checkpoints", run, written, state_at(5));
    CHECK(fs::exists(saved / "optimizer/state.safetensors") == (written.size() == 1));
    for (const auto& wanted : ways)
      for (const auto& own : wanted) {
        const auto loaded = load_checkpoint(saved, run.layout, own);
        CHECK(same(loaded.values, run.values));
        CHECK(same(loaded.moments.exp_avg, run.moments.exp_avg.slice(0, own.begin, own.end)));
        CHECK(same(loaded.moments.exp_avg_sq, run.moments.exp_avg_sq.slice(0, own.begin, own.end)));
      }
  }
}

TEST_CASE("checkpoint: a rank reads its own part of the shards alone", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto n = run.layout.total;
  const std::vector<Slice> slices{{0, n / 2}, {n / 2, n}};
  const auto saved = save_shards(folder / "checkpoints", run, slices, state_at(5));
  const auto second = saved / "optimizer/state-00002-of-00002.safetensors";
  flip(second, fs::file_size(second) - 1);
  CHECK_NOTHROW(load_checkpoint(saved, run.layout, {0, n / 4}));
  CHECK_THROWS_WITH(load_checkpoint(saved, run.layout, slices[1]),
                    contains("state-00002-of-00002.safetensors") && contains("damaged"));
}

TEST_CASE("checkpoint: pieces of a tensor that are not all of it are refused", "[checkpoint]") {
  const Trained run;
  const std::string name = "exp_avg.model.embed_tokens.weight";  // 72 elements, the first
  const std::vector<Slice> slices{{0, 40}, {40, run.layout.total}};
  for (const auto& [piece, n] :
       std::vector<std::pair<std::string, std::int64_t>>{{name + "[0:39]", 39},
                                                         {name + "[0:41]", 41},
                                                         {name + "[0:40]", 39},
                                                         {name + "[0:40", 40},
                                                         {name + "[-1:39]", 40},
                                                         {name + "[40:0]", 40},
                                                         {name + "[0:99999999999999999999]", 40},
                                                         {name + "[0:18446744073709551616]", 40},
                                                         {name, 40},
                                                         {"exp_avg.other[0:40]", 40}}) {
    INFO(piece);
    const TempFolder folder;
    const auto saved = save_shards(folder / "checkpoints", run, slices, state_at(5));
    const auto optimizer = saved / "optimizer";
    fs::remove(optimizer / "checksums.json");
    auto index = read_json(optimizer / "state.safetensors.index.json");
    index["weight_map"].erase(name + "[0:40]");
    index["weight_map"].erase("exp_avg_sq.model.embed_tokens.weight[0:40]");
    index["weight_map"][piece] = "other.safetensors";
    std::ofstream(optimizer / "state.safetensors.index.json") << index.dump();
    write_piece(optimizer / "other.safetensors", piece, n);
    CHECK_THROWS_WITH(load(saved, run.layout), contains("optimizer/") && contains("exp_avg"));
  }
}

TEST_CASE("checkpoint: a folder that was renamed to another step is refused", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto saved = save_checkpoint(folder / "checkpoints", run.parts(), state_at(5));
  fs::rename(saved, folder / "checkpoints/step_9");
  CHECK_THROWS_WITH(load(folder / "checkpoints/step_9", run.layout),
                    contains("trainer_state.json: 'global_step' is 5"));
  fs::rename(folder / "checkpoints/step_9", folder / "kept");
  CHECK(load(folder / "kept", run.layout).state.step == 5);
}

TEST_CASE("checkpoint: pruning keeps the newest and the best, and clears what a crash left",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  for (const std::int64_t step : {1, 2, 3, 10, 20})
    save_checkpoint(checkpoints, run.parts(), state_at(step));
  fs::create_directories(checkpoints / "step_30.partial/optimizer");
  fs::create_directories(checkpoints / "notes");
  prune_checkpoints(checkpoints, 0, -1);
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{1, 2, 3, 10, 20});
  CHECK_FALSE(fs::exists(checkpoints / "step_30.partial"));
  prune_checkpoints(checkpoints, 2, 2);
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{2, 10, 20});
  prune_checkpoints(checkpoints, 9, 2);
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{2, 10, 20});
  prune_checkpoints(checkpoints, 1, -1);
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{20});
  CHECK(fs::exists(checkpoints / "notes"));
  CHECK_NOTHROW(prune_checkpoints(folder / "none", 1, -1));
}

TEST_CASE("checkpoint: only whole names of steps are checkpoints", "[checkpoint]") {
  const TempFolder folder;
  for (const char* name : {"step_7", "step_", "step_-1", "step_7x", "step_99999999999999999999",
                           "step_8.partial", "other"})
    fs::create_directories(folder / name);
  std::ofstream(folder / "step_9") << "a file";
  CHECK(list_checkpoints(folder.path()) == std::vector<std::int64_t>{7});
  CHECK(list_checkpoints(folder / "none").empty());
}

TEST_CASE("checkpoint: a folder that cannot be written is a user's error that names it",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  std::ofstream(folder / "checkpoints") << "a file in the way";
  CHECK_THROWS_WITH(save_checkpoint(folder / "checkpoints", run.parts(), state_at(5)),
                    contains((folder / "checkpoints").string()));
  CHECK(read_file(folder / "checkpoints") == "a file in the way");
  CHECK_THROWS_AS(save_checkpoint("/proc/aha/checkpoints", run.parts(), state_at(5)), UserError);
}

TEST_CASE("checkpoint: a full disk leaves the older one, and no half of the new one",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  const auto before = files_of(save_checkpoint(checkpoints, run.parts(), state_at(5)));
  for (const rlim_t room : {rlim_t{0}, rlim_t{100}, rlim_t{5000}, rlim_t{9000}})
    CHECK(aha_test::with_full_disk(room, [&] {
      try {
        save_checkpoint(checkpoints, run.parts(), state_at(10));
      } catch (const UserError&) {
        return true;
      }
      return false;
    }));
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{5});
  CHECK(std::distance(fs::directory_iterator(checkpoints), {}) == 1);
  CHECK(files_of(checkpoints / "step_5") == before);
  CHECK(fs::read_symlink(folder / "latest") == "checkpoints/step_5");
}

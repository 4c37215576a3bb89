#include "trainer/checkpoint/checkpoint.h"

#include <ATen/ops/zeros.h>

#include <fstream>

#include "tests/support/full_disk.h"
#include "tests/trainer/checkpoint/support.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/safetensors.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

void cut_to_half(const fs::path& file) {
  fs::resize_file(file, fs::file_size(file) / 2);
}

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

TEST_CASE("checkpoint: one that was about to be replaced when the process died is there again",
          "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  save_checkpoint(checkpoints, run.parts(), state_at(5));
  fs::rename(checkpoints / "step_5", checkpoints / "step_5.old.partial");
  fs::create_directory(checkpoints / "step_5.partial");
  const auto loaded = newest_of(checkpoints, run.layout);
  REQUIRE(loaded);
  CHECK(loaded->folder == checkpoints / "step_5");
  CHECK_FALSE(fs::exists(checkpoints / "step_5.partial"));
}

TEST_CASE("checkpoint: a save clears what killed ones left, whichever step they were of",
          "[checkpoint]") {
  const TempFolder folder;
  fs::create_directories(folder / "checkpoints" / "step_3.partial" / "optimizer");
  begin_checkpoint(folder / "checkpoints", 8);
  CHECK_FALSE(fs::exists(folder / "checkpoints" / "step_3.partial"));
}

TEST_CASE("checkpoint: going back removes the later ones, and latest says where", "[checkpoint]") {
  const Trained run;
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  for (const std::int64_t step : {2, 5, 9})
    save_checkpoint(checkpoints, run.parts(), state_at(step));
  go_back_to(checkpoints, 5);
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{2, 5});
  CHECK(fs::read_symlink(folder / "latest") == "checkpoints/step_5");
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

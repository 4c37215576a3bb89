// Checkpoints written beside training: by one rank and by several, and where they cannot be written.
#include "trainer/run/saver.h"

#include <ATen/ops/full.h>

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/comm/ranks.h"
#include "trainer/core/error.h"
#include "trainer/run/shared_reader.h"

using namespace aha;
using aha_test::contains;
using aha_test::TempFolder;
namespace fs = std::filesystem;

namespace {

/// Enough parameters that every one of a few ranks has some.
ModelConfig small() {
  ModelConfig c;
  c.vocab_size = 64;
  c.hidden_size = 32;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 2;
  c.num_key_value_heads = 2;
  c.head_dim = 16;
  c.intermediate_size = 64;
  c.max_position_embeddings = 32;
  return c;
}

/// A rank that trains: all its numbers are the step's.
struct Training {
  explicit Training(Communicator& of) : comm(of) {}

  Saver::Request request(std::int64_t step, const CheckpointConfig& settings,
                         const char* dtype = "bfloat16") {
    values.fill_(static_cast<double>(step));
    for (auto* moment : {&moments.exp_avg, &moments.exp_avg_sq})
      moment->fill_(static_cast<double>(-step));
    CheckpointParts parts{config, layout, comm.leads() ? values : Tensor(), {}, {}, {}, dtype};
    parts.optimizer = {slices, static_cast<std::size_t>(comm.rank()), moments,
                       values.slice(0, own.begin, own.end)};
    TrainerState state;
    state.stage = "grpo";
    state.step = state.global_step = step;
    return {settings, parts, state, [] {}};
  }

  Communicator& comm;
  ModelConfig config = small();
  ParameterLayout layout = make_layout(config);
  std::vector<Slice> slices = shards_of(layout.total, comm.size());
  Slice own = slices[static_cast<std::size_t>(comm.rank())];
  Tensor values = at::full({layout.total}, 0.0F);
  Moments moments{at::full({own.size()}, 0.0F), at::full({own.size()}, 0.0F)};
};

/// True when every value of the checkpoint is its step's.
bool is_of_step(const LoadedCheckpoint& loaded) {
  const auto step = static_cast<double>(loaded.state.global_step);
  return loaded.values.eq(step).all().item<bool>() &&
         loaded.moments.exp_avg.eq(-step).all().item<bool>() &&
         loaded.moments.exp_avg_sq.eq(-step).all().item<bool>();
}

LoadedCheckpoint load_all(const fs::path& folder, const ParameterLayout& layout) {
  return load_checkpoint(folder, layout, {0, layout.total});
}

}  // namespace

TEST_CASE("saver: checkpoints hold the state at save, whatever training does meanwhile") {
  for (const bool async : {false, true})
    for (const int ranks : {1, 2, 3}) {
      INFO(ranks << " ranks" << (async ? ", async" : ""));
      const TempFolder folder;
      const auto checkpoints = folder / "checkpoints";
      CheckpointConfig settings;
      settings.async = async;
      settings.save_total_limit = 0;
      on_ranks(ranks, [&](Communicator& comm) {
        Training training(comm);
        Saver saver(comm, checkpoints);
        for (std::int64_t step = 1; step <= 4; ++step) {
          saver.save(training.request(step, settings));
          check(saver.saved_at() == step, "a save under way counts");
          saver.look();
        }
        training.request(99, settings);
        saver.finish();
      });
      const auto layout = make_layout(small());
      CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{1, 2, 3, 4});
      for (std::int64_t step = 1; step <= 4; ++step)
        CHECK(is_of_step(load_all(checkpoint_path(checkpoints, step), layout)));
      CHECK(fs::read_symlink(folder / "latest") == "checkpoints/step_4");
    }
}

TEST_CASE("saver: a failed save is tried again at the next, and too many in a row are an error") {
  for (const bool async : {false, true})
    for (const int ranks : {1, 2}) {
      INFO(ranks << " ranks" << (async ? ", async" : ""));
      const TempFolder folder;
      const auto checkpoints = folder / "checkpoints";
      CheckpointConfig settings;
      settings.async = async;
      settings.max_failed_saves = 3;
      const auto block = [&](Communicator& comm, bool blocked) {
        if (comm.leads()) {
          fs::remove_all(checkpoints);
          if (blocked) std::ofstream(checkpoints) << "in the way";
        }
        comm.barrier("block");
      };
      on_ranks(ranks, [&](Communicator& comm) {
        Training training(comm);
        Saver saver(comm, checkpoints);
        block(comm, true);
        saver.save(training.request(1, settings));
        saver.save(training.request(2, settings));
        saver.wait();
        check(saver.saved_at() == -1, "nothing is saved");
        block(comm, false);
        saver.save(training.request(3, settings));
        saver.finish();
        check(saver.saved_at() == 3, "it is saved");
        block(comm, true);
        saver.save(training.request(4, settings));
        saver.save(training.request(5, settings));
        std::string error;
        try {
          saver.save(training.request(6, settings));
          saver.wait();
        } catch (const UserError& e) {
          error = e.what();
        }
        check(error.find("3 times in a row") != std::string::npos, "the limit is said");
        check(error.find("the last one is of step 3") != std::string::npos, "what is left is said");
      });
    }
}

TEST_CASE("saver: the best checkpoint is kept until a better one is whole") {
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  CheckpointConfig settings;
  settings.save_total_limit = 1;
  Communicator alone;
  Training training(alone);
  Saver saver(alone, checkpoints);
  const auto request = [&](std::int64_t step, std::int64_t best) {
    auto made = training.request(step, settings);
    made.state.best_metric = 0.5;
    made.state.best_global_step = best;
    return made;
  };
  saver.save(request(1, 1));
  saver.wait();
  auto failing = request(2, 2);
  failing.prepare = [] { fail("the disk is full"); };
  saver.save(std::move(failing));
  saver.wait();
  saver.save(request(3, 2));
  saver.finish();
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{1, 3});
  saver.save(request(4, 4));
  saver.finish();
  CHECK(list_checkpoints(checkpoints) == std::vector<std::int64_t>{4});
}

TEST_CASE("saver: what is no error of the disk is thrown as what it is") {
  const TempFolder folder;
  Communicator alone;
  Training training(alone);
  Saver saver(alone, folder / "checkpoints");
  auto request = training.request(1, {});
  request.parts.values = request.parts.values.to(at::kDouble);  // f32 is what is promised
  saver.save(std::move(request));
  CHECK_THROWS_AS(saver.wait(), InternalError);
}

TEST_CASE("saver: a save that fails at the end of a job is an error at once") {
  const TempFolder folder;
  std::ofstream(folder / "checkpoints") << "in the way";
  Communicator alone;
  Training training(alone);
  Saver saver(alone, folder / "checkpoints");
  saver.save(training.request(1, {}));
  CHECK_THROWS_WITH(saver.finish(), contains("checkpoints") && contains("--resume auto"));
}

TEST_CASE("saver: a rank that cannot write its shard leaves no checkpoint, and is named") {
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  on_ranks(2, [&](Communicator& comm) {
    Training training(comm);
    Saver saver(comm, comm.leads() ? checkpoints : folder / "another disk");
    saver.save(training.request(1, {}));
    std::string error;
    try {
      saver.finish();
    } catch (const UserError& e) {
      error = e.what();
    }
    check(error.find("rank 1: ") == 0, "the rank is named");
    check(error.find("another disk") != std::string::npos, "and its file");
  });
  CHECK(fs::is_empty(checkpoints));
}

TEST_CASE("shared reader: what one rank cannot read, none reads") {
  const TempFolder folder;
  const auto checkpoints = folder / "checkpoints";
  on_ranks(2, [&](Communicator& comm) {
    Training training(comm);
    CheckpointConfig settings;
    settings.save_total_limit = 0;
    Saver saver(comm, checkpoints);
    for (std::int64_t step : {1, 2})
      saver.save(training.request(step, settings));
    saver.finish();
  });
  const auto shard = checkpoints / "step_2/optimizer/state-00002-of-00002.safetensors";
  std::fstream(shard, std::ios::in | std::ios::out | std::ios::ate | std::ios::binary)
      .seekp(-1, std::ios::end)
      .put('?');
  const auto layout = make_layout(small());
  for (const int ranks : {1, 2, 3})
    on_ranks(ranks, [&](Communicator& comm) {
      SharedReader reader(comm, layout);
      std::optional<LoadedCheckpoint> loaded;
      if (comm.leads()) {
        loaded = load_newest(checkpoints, [&](const fs::path& path) { return reader.read(path); });
        reader.end();
      } else {
        loaded = reader.follow();
      }
      check(loaded.has_value() && loaded->state.global_step == 1, "the older one is read");
      check(is_of_step(*loaded), "and whole");
    });
}

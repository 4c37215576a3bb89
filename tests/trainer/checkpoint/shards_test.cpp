// Checksums of what is saved, and optimizer files that several ranks wrote.
#include <fstream>

#include "tests/trainer/checkpoint/support.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/safetensors.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

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
        CHECK(same(loaded.values, run.values.slice(0, own.begin, own.end)));
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

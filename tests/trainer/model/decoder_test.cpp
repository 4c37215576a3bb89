#include <cmath>
#include <random>

#include "tests/trainer/model/golden_support.h"

using namespace aha_test;

namespace {

/// ||a - b|| / ||b||.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / norm);
}

}  // namespace

TEST_CASE("decoder: logits, log-probabilities and entropies are transformers'", "[model][golden]") {
  for (const auto& golden_model : golden_models())
    for (const auto* ops : kernel_tables()) {
      INFO(golden_model.name << " " << ops->name);
      GoldenPass golden_pass(golden_model, *ops);
      auto& [g, in, rows, model, pass] = golden_pass;
      const auto [N, T] = std::pair(in.N, in.T);
      const Index V = model.config.vocab_size;
      std::vector<float> logits(static_cast<std::size_t>(N * T * V));
      ops->linear({}, {pass.hidden(), model.config.hidden_size, model.weights.edges().head,
                       logits.data(), V, N * T, V, model.config.hidden_size});
      CHECK(gap(logits, g.floats("logits")) < kTolerance);
      CHECK(gap(pass.entropies, g.floats("entropies")) < kTolerance);
      std::vector<float> logprobs;
      for (Index n = 0; n < N; ++n)
        logprobs.insert(logprobs.end(), pass.logprobs.begin() + n * T,
                        pass.logprobs.begin() + (n + 1) * T - 1);
      CHECK(gap(logprobs, g.floats("logprobs")) < kTolerance);
    }
}

TEST_CASE("decoder: the gradient of every parameter is transformers'", "[model][golden]") {
  for (const auto& golden_model : golden_models())
    for (const auto* ops : kernel_tables()) {
      INFO(golden_model.name << " " << ops->name);
      GoldenPass golden_pass(golden_model, *ops);
      auto& [g, in, rows, model, pass] = golden_pass;
      const auto [N, T] = std::pair(in.N, in.T);

      const auto mask = g.integers("mask");
      std::vector<float> counted;
      float sum = 0;
      for (Index n = 0; n < N; ++n)
        for (Index t = 1; t < T; ++t) {
          counted.push_back(static_cast<float>(mask[static_cast<std::size_t>(n * T + t)]));
          sum += counted.back();
        }
      const auto d_logprob = as_rows(counted, N, T, -1.0F / sum);
      double loss = 0;
      for (std::size_t i = 0; i < d_logprob.size(); ++i)
        loss += static_cast<double>(d_logprob[i]) * static_cast<double>(pass.logprobs[i]);
      CHECK(loss == Approx(g.floats("loss")[0]).epsilon(kTolerance));
      const std::vector<float> nothing(d_logprob.size(), 0.0F);
      check_gradients(model, g, "grad.", pass.backward(d_logprob, nothing));
      if (!golden_model.mixed) continue;
      pass.forward(rows.batch(), in.targets);  // the way back used up what was kept
      check_gradients(model, g, "mix_grad.",
                      pass.backward(as_rows(g.floats("mix_logprob_weights"), N, T),
                                    as_rows(g.floats("mix_entropy_weights"), N, T)));
    }
}

TEST_CASE("decoder: stories260K gives the reference log-probabilities and entropies",
          "[model][golden]") {
  std::ifstream file(golden("stories260K/reference.jsonl"));
  Model model = Model::load(golden("stories260K"), aha::cpu_ops());
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto row = aha::Json::parse(line);
    const auto ids = row.at("ids").get<std::vector<std::int64_t>>();
    const Rows rows({ids});
    std::vector<std::int64_t> targets(ids.begin() + 1, ids.end());
    targets.push_back(0);
    TrainingPass pass(model);
    pass.forward(rows.batch(), targets);
    const auto logprobs = row.at("logprobs").get<std::vector<double>>();
    const auto entropies = row.at("entropy").get<std::vector<double>>();
    REQUIRE(logprobs.size() + 1 == ids.size());
    double worst = 0;
    for (std::size_t i = 0; i < logprobs.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(pass.logprobs[i]) - logprobs[i]));
    for (std::size_t i = 0; i < entropies.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(pass.entropies[i]) - entropies[i]));
    INFO(row.at("id").dump());
    CHECK(worst < 1e-4);
  }
  CHECK(count == 2);
}

namespace {

/// One group: a prompt and completions that share its rows, as a micro-batch packs them.
struct SharedGroup {
  SharedGroup(const std::vector<aha::TokenId>& prompt,
              const std::vector<std::vector<aha::TokenId>>& completions)
      : rows({prompt}) {
    rows.tables.reserve(1 + completions.size());
    const auto& shared = rows.tables[0];
    rows.table_of.assign(prompt.size(), shared.data());
    const std::size_t full = prompt.size() / 16;
    for (const auto& completion : completions) {
      auto& table = rows.tables.emplace_back(shared.begin(),
                                             shared.begin() + static_cast<std::ptrdiff_t>(full));
      while (table.size() * 16 < prompt.size() + completion.size())
        table.push_back(rows.num_blocks++);
      if (prompt.size() % 16 > 0)
        copies.push_back(
            {shared.back(), table[full], static_cast<std::int32_t>(prompt.size() % 16)});
      for (std::size_t i = 0; i < completion.size(); ++i) {
        rows.ids.push_back(completion[i]);
        rows.positions.push_back(static_cast<std::int32_t>(prompt.size() + i));
        rows.table_of.push_back(table.data());
      }
    }
    rows.sections = {0, static_cast<Index>(rows.ids.size())};
  }
  aha::RowBatch batch() const {
    aha::RowBatch b = rows.batch();
    b.copies = copies;
    return b;
  }
  Rows rows;
  std::vector<aha::KvCopy> copies;
};

}  // namespace

TEST_CASE("decoder: a prompt shared by its completions equals whole sequences", "[model]") {
  std::mt19937 random(5);
  for (const auto& config : bit_configs())
    for (const std::size_t P : {3U, 16U, 21U}) {
      INFO(config.model_type << " " << config.hidden_size << " prompt " << P);
      Model model = varied(config, aha::cpu_ops());
      const auto draw = [&](std::size_t n) {
        std::vector<aha::TokenId> ids(n);
        for (auto& id : ids)
          id = static_cast<aha::TokenId>(random()) % model.config.vocab_size;
        return ids;
      };
      const auto prompt = draw(P);
      const std::vector<std::vector<aha::TokenId>> completions{draw(1), draw(30), draw(17)};
      const SharedGroup shared(prompt, completions);
      // the loss is on the completions' rows
      std::vector<std::vector<aha::TokenId>> sequences;
      std::vector<float> shared_d(P, 0.0F);
      std::vector<float> whole_d;
      std::vector<std::int64_t> shared_targets(P, 0);
      std::vector<std::int64_t> whole_targets;
      for (const auto& completion : completions) {
        sequences.push_back(prompt);
        sequences.back().insert(sequences.back().end(), completion.begin(), completion.end());
        whole_d.insert(whole_d.end(), P, 0.0F);
        whole_targets.insert(whole_targets.end(), P, 0);
        for (std::size_t i = 0; i < completion.size(); ++i) {
          shared_d.push_back(static_cast<float>(random() % 100) / 50.0F - 1.0F);
          whole_d.push_back(shared_d.back());
          shared_targets.push_back(static_cast<std::int64_t>(random() % 60));
          whole_targets.push_back(shared_targets.back());
        }
      }
      const Rows whole(sequences);
      TrainingPass a(model);
      TrainingPass b(model);
      a.forward(shared.batch(), shared_targets);
      b.forward(whole.batch(), whole_targets);
      std::size_t from = P;
      std::size_t to = 0;
      for (const auto& completion : completions) {
        to += P;
        CHECK(std::memcmp(&a.logprobs[from], &b.logprobs[to], completion.size() * 4) == 0);
        from += completion.size();
        to += completion.size();
      }
      CHECK(distance(a.backward(shared_d, std::vector<float>(shared_d.size(), 0.0F)),
                     b.backward(whole_d, std::vector<float>(whole_d.size(), 0.0F))) < 1e-6);
    }
}

TEST_CASE(
    "decoder: loss and gradient have the same bits with 1, 2 and 3 threads and in every table",
    "[model]") {
  std::mt19937 random(6);
  aha::ThreadPool two(2);
  aha::ThreadPool three(3);
  for (const auto& config : bit_configs()) {
    std::vector<std::vector<aha::TokenId>> sequences;
    for (std::size_t n = 1; n < 60; n += 9) {
      sequences.emplace_back(n);
      for (auto& id : sequences.back())
        id = static_cast<aha::TokenId>(random() % 60);
    }
    const Rows rows(sequences);
    std::vector<std::int64_t> targets(rows.ids.size());
    std::vector<float> d(rows.ids.size());
    for (auto& t : targets)
      t = static_cast<std::int64_t>(random() % 60);
    for (auto& x : d)
      x = static_cast<float>(random() % 100) / 50.0F - 1.0F;
    std::vector<float> expected;
    for (const auto* ops : kernel_tables())
      for (auto* pool : {static_cast<aha::ThreadPool*>(nullptr), &two, &three}) {
        if (std::string(ops->name) == "portable" && pool == &three) continue;
        Model model = varied(config, *ops);
        TrainingPass pass(model, aha::Exec{pool});
        pass.forward(rows.batch(), targets);
        auto bits = pass.logprobs;
        const auto gradient = pass.backward(d, d);
        bits.insert(bits.end(), gradient.begin(), gradient.end());
        if (expected.empty()) expected = bits;
        INFO(config.model_type << " " << ops->name << " threads " << aha::Exec{pool}.threads());
        CHECK(std::memcmp(bits.data(), expected.data(), bits.size() * 4) == 0);
      }
  }
}

TEST_CASE("decoder: a forward pass that keeps nothing has the bits of one that keeps all",
          "[model]") {
  const auto config = GENERATE(from_range(bit_configs()));
  Model model = varied(config, aha::cpu_ops());
  const Rows rows({{1, 2, 3, 4, 5}, {6, 7}, std::vector<aha::TokenId>(40, 9)});
  aha::Activations kept(model.decoder.config());
  aha::KvCache cache(model.decoder.config());
  cache.reserve(rows.num_blocks + 3);
  aha::Scratch scratch;
  aha::BlockScratch block(model.decoder.config());
  const float* a = model.decoder.forward({}, model.weights, rows.batch(), kept, block);
  const float* b = model.decoder.forward({}, model.weights, rows.batch(), cache, scratch);
  CHECK(std::memcmp(a, b,
                    rows.ids.size() * static_cast<std::size_t>(model.config.hidden_size) * 4) == 0);
}

TEST_CASE("decoder: blocks that are computed again leave the same bits, and take their memory",
          "[model]") {
  std::mt19937 random(7);
  aha::ThreadPool two(2);
  for (const auto& config : bit_configs())
    for (const auto storage : {aha::FloatType::F32, aha::FloatType::BF16}) {
      INFO(config.model_type << " " << config.hidden_size << " " << static_cast<int>(storage));
      Model model = varied(config, aha::cpu_ops(), storage);
      const auto draw = [&](std::size_t n) {
        std::vector<aha::TokenId> ids(n);
        for (auto& id : ids)
          id = static_cast<aha::TokenId>(random() % 60);
        return ids;
      };
      const SharedGroup shared(draw(21), {draw(1), draw(30), draw(17)});
      std::vector<std::int64_t> targets(shared.rows.ids.size());
      std::vector<float> d_logprob(targets.size());
      std::vector<float> d_entropy(targets.size());
      for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i] = static_cast<std::int64_t>(random() % 60);
        d_logprob[i] = static_cast<float>(random() % 100) / 50.0F - 1.0F;
        d_entropy[i] = static_cast<float>(random() % 100) / 500.0F;
      }
      TrainingPass kept(model);
      TrainingPass again(model, aha::Exec{&two}, true);
      // a larger batch before: what is left of it in memory that is used again must not be read
      const Rows before({draw(60), draw(60)});
      again.forward(before.batch(), std::vector<std::int64_t>(120, 1));
      again.backward(std::vector<float>(120, 1.0F), std::vector<float>(120, 1.0F));
      kept.forward(shared.batch(), targets);
      again.forward(shared.batch(), targets);
      CHECK(std::memcmp(again.logprobs.data(), kept.logprobs.data(), targets.size() * 4) == 0);
      const auto expected = kept.backward(d_logprob, d_entropy);
      const auto gradient = again.backward(d_logprob, d_entropy);
      CHECK(std::memcmp(gradient.data(), expected.data(), expected.size() * 4) == 0);
    }
  Model model = varied(toy_config(false), aha::cpu_ops());
  const Rows rows({std::vector<aha::TokenId>(100, 3)});
  const std::vector<std::int64_t> targets(100, 1);
  TrainingPass again(model, {}, true);
  again.forward(rows.batch(), targets);
  // 100 rows of 72: what enters four blocks, what leaves the last, normed with its scale; no keys, no values
  CHECK(again.kept_bytes() == 4 * 100 * ((4 + 2) * 72 + 1));
}

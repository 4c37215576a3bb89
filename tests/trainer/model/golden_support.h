#pragma once
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tests/trainer/model/decoder_support.h"

#include "tests/support/catch.h"

namespace aha_test {

using aha::Index;

/// A golden model: NAME_golden.safetensors and the folder that it is of.
struct GoldenModel {
  std::string name;
  std::string folder = name;
  bool long_context = false;
  bool mixed = false;  ///< has the gradient through entropies, too

  Model load(const aha::Ops& ops) const {
    auto config = aha::read_model_config(golden("model/" + folder));
    config.long_context = long_context;
    return {config, aha::load_weights(golden("model/" + folder), aha::make_layout(config)), ops};
  }
};

/// Every one, all families and rotary embeddings.
inline std::vector<GoldenModel> golden_models() {
  return {{"tied", "tied", false, true},
          {"untied", "untied", false, true},
          {"llama_linear"},
          {"llama3"},
          {"qwen2"},
          {"qwen3"},
          {"mistral"},
          {"phi3"},
          {"phi3_longrope_short", "phi3_longrope"},
          {"phi3_longrope_long", "phi3_longrope", true}};
}

/// What transformers says, see tests/golden/model/README.md.
struct Golden {
  explicit Golden(const std::string& name)
      : file(golden("model/" + name + "_golden.safetensors")) {}

  std::vector<float> floats(const std::string& name) const {
    std::vector<float> out(static_cast<std::size_t>(file.find(name)->size));
    file.read(name, std::span(out));
    return out;
  }
  std::vector<std::int64_t> integers(const std::string& name) const {
    std::vector<std::int64_t> out(static_cast<std::size_t>(file.find(name)->size));
    file.read(name, std::span(out));
    return out;
  }

  aha::SafetensorsFile file;
};

/// max |a - b| / max |b|.
inline double gap(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0;
  double largest = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    difference = std::isfinite(d) ? std::max(difference, d) : INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return difference / largest;
}

constexpr double kTolerance = 1e-5;  ///< of goldens in f64
/// Values [N, T - 1] as rows [N, T], nothing in the last column; times `factor`.
inline std::vector<float> as_rows(const std::vector<float>& values, Index N, Index T,
                                  float factor = 1.0F) {
  std::vector<float> out(static_cast<std::size_t>(N * T), 0.0F);
  for (Index n = 0; n < N; ++n)
    for (Index t = 0; t + 1 < T; ++t)
      out[static_cast<std::size_t>(n * T + t)] =
          factor * values[static_cast<std::size_t>(n * (T - 1) + t)];
  return out;
}

struct GoldenRows {
  explicit GoldenRows(const Golden& g)
      : N(g.file.find("ids")->shape[0]), T(g.file.find("ids")->shape[1]), ids(g.integers("ids")) {
    for (Index n = 0; n < N; ++n)
      sequences.emplace_back(ids.begin() + n * T, ids.begin() + (n + 1) * T);
    targets.assign(ids.begin() + 1, ids.end());
    targets.push_back(0);  // rows that end a sequence predict anything: their derivative is 0
  }
  Index N, T;  ///< sequences, tokens of each
  std::vector<std::int64_t> ids, targets;
  std::vector<std::vector<aha::TokenId>> sequences;
};

/// A forward pass over the rows of a golden model.
struct GoldenPass {
  GoldenPass(const GoldenModel& of, const aha::Ops& ops)
      : g(of.name), in(g), rows(in.sequences), model(of.load(ops)), pass(model) {
    pass.forward(rows.batch(), in.targets);
  }
  GoldenPass(const GoldenPass&) = delete;
  GoldenPass& operator=(const GoldenPass&) = delete;

  Golden g;
  GoldenRows in;
  Rows rows;
  Model model;
  TrainingPass pass;
};

inline void check_gradients(const Model& model, const Golden& g, const std::string& prefix,
                            const std::vector<float>& gradient) {
  for (const auto& p : model.layout.parameters) {
    INFO(prefix << p.name);
    const auto part = std::span(gradient).subspan(static_cast<std::size_t>(p.offset),
                                                  static_cast<std::size_t>(p.size));
    CHECK(gap(part, g.floats(prefix + p.name)) < kTolerance);
  }
}

}  // namespace aha_test

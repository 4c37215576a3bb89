#pragma once
#include <string>
#include <utility>
#include <vector>

#include "tests/trainer/model/support.h"
#include "trainer/model/decoder.h"
#include "trainer/model/resident_weights.h"
#include "trainer/model/weights.h"

namespace aha_test {

/// A decoder with its weights in memory, on one kernel table.
struct Model {
  Model(aha::ModelConfig model_config, aha::Tensor values, const aha::Ops& ops,
        aha::FloatType storage = aha::FloatType::F32)
      : config(std::move(model_config)),
        layout(aha::make_layout(config)),
        decoder(config, ops),
        weights(config, layout, ops, std::move(values), storage) {
    weights.publish({});
  }

  static Model load(const std::filesystem::path& folder, const aha::Ops& ops) {
    const auto config = aha::read_model_config(folder);
    return {config, aha::load_weights(folder, aha::make_layout(config)), ops};
  }
  static Model random(const aha::ModelConfig& config, const aha::Ops& ops, std::uint64_t seed = 1) {
    return {config, aha::init_parameters(aha::make_layout(config), config, seed), ops};
  }

  aha::ModelConfig config;
  aha::ParameterLayout layout;
  aha::Decoder decoder;
  aha::ResidentWeights weights;
};

/// The shapes of the toy experiments.
inline aha::ModelConfig toy_config(bool wide) {
  aha::ModelConfig c;
  c.vocab_size = wide ? 64 : 110;
  c.hidden_size = wide ? 96 : 72;
  c.num_hidden_layers = wide ? 2 : 4;
  c.num_attention_heads = wide ? 3 : 4;
  c.num_key_value_heads = wide ? 3 : 2;
  c.head_dim = c.hidden_size / c.num_attention_heads;
  c.intermediate_size = wide ? 256 : 192;
  c.max_position_embeddings = 128;
  c.initializer_range = 0.1;
  return c;
}

/// A toy of another family: heads that are no part of the width where the family allows it, and a
/// rotation of a part of the dimensions, with long factors, in phi3.
inline aha::ModelConfig toy_family(const std::string& family) {
  auto c = toy_config(false);
  c.model_type = family;
  if (family == "qwen3") c.head_dim = 20;
  if (family == "phi3") {
    c.partial_rotary_factor = 0.7;  // 12 of 18
    c.rope_scaling.kind = aha::RopeScaling::Kind::LongRope;
    c.rope_scaling.original_positions = 16;
    c.rope_scaling.short_factor = {1.0, 1.1, 1.2, 1.3, 1.4, 1.5};
    c.rope_scaling.long_factor = {1.0, 1.5, 2.0, 2.5, 3.0, 4.0};
    c.long_context = true;
  }
  return c;
}

/// The toys, and one of each family that computes something else.
inline std::vector<aha::ModelConfig> bit_configs() {
  return {toy_config(false), toy_config(true), toy_family("qwen2"), toy_family("qwen3"),
          toy_family("phi3")};
}

/// Random weights, the vectors (norms and biases) among them.
inline Model varied(const aha::ModelConfig& config, const aha::Ops& ops,
                    aha::FloatType storage = aha::FloatType::F32) {
  const auto layout = aha::make_layout(config);
  auto values = aha::init_parameters(layout, config, 1);
  auto* data = values.data_ptr<float>();
  for (const auto& p : layout.parameters)
    if (p.shape.size() == 1)
      for (std::int64_t i = 0; i < p.size; ++i)
        data[p.offset + i] += 0.1F * static_cast<float>((i * 7 + p.offset) % 11 - 5);
  return {config, std::move(values), ops, storage};
}

/// Whole sequences as rows, each in blocks of its own.
struct Rows {
  explicit Rows(const std::vector<std::vector<aha::TokenId>>& sequences) {
    tables.reserve(sequences.size());
    for (const auto& sequence : sequences) {
      auto& table = tables.emplace_back();
      for (std::size_t p = 0; p < sequence.size(); ++p) {
        if (p % 16 == 0) table.push_back(num_blocks++);
        ids.push_back(sequence[p]);
        positions.push_back(static_cast<std::int32_t>(p));
      }
      table_of.insert(table_of.end(), sequence.size(), table.data());
      sections.push_back(static_cast<aha::Index>(ids.size()));
    }
  }
  aha::RowBatch batch() const {
    aha::RowBatch b{ids, positions, table_of, {}, sections};
    b.num_blocks = num_blocks;
    return b;
  }

  std::vector<aha::TokenId> ids;
  std::vector<std::int32_t> positions;
  std::vector<std::vector<std::int32_t>> tables;
  std::vector<const std::int32_t*> table_of;
  std::vector<aha::Index> sections{0};
  std::int32_t num_blocks = 0;
};

/// Gradients of a whole model in one place.
struct WholeGradients : aha::GradientSink {
  explicit WholeGradients(const aha::ParameterLayout& of)
      : layout(&of), values(static_cast<std::size_t>(of.total)) {}

  aha::EdgeGrads edges() override {
    return {place(layout->embed), place(layout->final_norm), place(layout->head)};
  }
  aha::BlockGrads block(aha::Index layer) override {
    const auto& at = layout->blocks[static_cast<std::size_t>(layer)];
    aha::BlockGrads grads{place(at.input_norm), place(at.qkv),     place(at.o),
                          place(at.post_norm),  place(at.gate_up), place(at.down)};
    if (at.qkv_bias > 0) grads.qkv_bias = place(at.qkv_bias);
    if (at.qk_norm > 0) grads.qk_norm = place(at.qk_norm);
    return grads;
  }
  float* place(std::int64_t offset) { return values.data() + offset; }

  const aha::ParameterLayout* layout;
  std::vector<float> values;  ///< [total]
};

/// Log-probabilities and entropies of the next token of each row; the backward pass from them.
class TrainingPass {
 public:
  explicit TrainingPass(Model& model, aha::Exec exec = {}, bool recomputed = false)
      : model_(&model),
        exec_(exec),
        kept_(model.decoder.config(), recomputed),
        scratch_(model.decoder.config()) {}

  /// `targets` [M].
  void forward(const aha::RowBatch& rows, const std::vector<std::int64_t>& targets) {
    rows_ = rows;
    targets_ = targets;
    hidden_ = model_->decoder.forward(exec_, model_->weights, rows, kept_, scratch_.block);
    logprobs.assign(targets.size(), 0.0F);
    entropies.assign(targets.size(), 0.0F);
    model_->decoder.ops().head_logprob(
        exec_,
        {hidden_, model_->weights.edges().head, targets_.data(), logprobs.data(), entropies.data(),
         rows.rows(), model_->config.hidden_size, model_->config.vocab_size, 1.0F});
  }

  /// Gradient [layout.total] of sum(d_logprob logprobs + d_entropy entropies).
  std::vector<float> backward(const std::vector<float>& d_logprob,
                              const std::vector<float>& d_entropy) {
    WholeGradients grads(model_->layout);
    const auto edges = model_->weights.edges();
    const aha::Index C = model_->config.hidden_size;
    std::vector<float> dhidden(targets_.size() * static_cast<std::size_t>(C));
    model_->decoder.ops().head_logprob_backward(
        exec_,
        {hidden_, edges.head, targets_.data(), d_logprob.data(), d_entropy.data(), dhidden.data(),
         grads.edges().head, rows_.rows(), C, model_->config.vocab_size, 1.0F});
    const aha::BackwardPart part{rows_, dhidden.data(), &kept_};
    model_->decoder.backward(exec_, model_->weights, {&part, 1}, scratch_, grads);
    return grads.values;
  }

  const float* hidden() const { return hidden_; }
  std::int64_t kept_bytes() const { return kept_.bytes(); }
  std::int64_t scratch_bytes() const { return scratch_.bytes(); }
  std::vector<float> logprobs, entropies;

 private:
  Model* model_;
  aha::Exec exec_;
  aha::Activations kept_;
  aha::BackwardScratch scratch_;
  aha::RowBatch rows_;
  std::vector<std::int64_t> targets_;
  const float* hidden_ = nullptr;
};

inline std::vector<const aha::Ops*> kernel_tables() {
  std::vector<const aha::Ops*> out;
  for (const char* name : {"avx512", "avx2", "portable"})
    if (const auto* ops = aha::cpu_ops(name)) out.push_back(ops);
  return out;
}

}  // namespace aha_test

#pragma once
#include <algorithm>

#include "tests/rollout/rollout_support.h"
#include "tests/trainer/kernels/cuda/gpu.h"

namespace aha_test {

/// Each token by a forward pass and a draw of its own, its id taken to the host and back.
class OneByOne {
 public:
  OneByOne(Model& model, const SamplingParams& params)
      : model_(&model), params_(&params), cache_(model.config) {
    for (std::int32_t b = 0; b < 8; ++b)
      table_.push_back(7 - b);
    cache_.reserve(8, memory(), model.weights.storage());
  }

  Completion completion(const GroupRequest& request, std::int64_t index) {
    Completion c;
    c.index = index;
    auto ids = request.prompt.ids;
    std::int32_t position = 0;
    for (;;) {
      std::vector<std::int32_t> positions;
      for (std::size_t i = 0; i < ids.size(); ++i)
        positions.push_back(position++);
      const std::vector<const std::int32_t*> tables(ids.size(), table_.data());
      const float* hidden = model_->decoder.forward(
          {}, model_->weights, {ids, positions, tables, {}, {}}, cache_, scratch_);
      take(hidden + (std::ssize(ids) - 1) * model_->config.hidden_size, request.ordinal, c);
      if (ends(c)) return c;
      ids = {c.ids.back()};
    }
  }

 private:
  const aha::Memory& memory() const { return *model_->decoder.ops().memory; }

  void take(const float* hidden, std::uint64_t ordinal, Completion& c) {
    const SamplingParams& p = *params_;
    const double uniform =
        aha::uniform({p.seed, p.purpose, p.stage, ordinal, static_cast<std::uint64_t>(c.index),
                      static_cast<std::uint64_t>(c.length())});
    Device d(model_->decoder.ops());
    auto* id = d.put(Ints{-1});
    auto* logprob = d.put(poison(1));
    auto* entropy = d.put(poison(1));
    const bool greedy = p.temperature == 0;
    model_->decoder.ops().head_sample(
        {}, {hidden, model_->weights.edges().head,
             greedy ? nullptr : d.put(std::vector<double>{uniform}), id, logprob, entropy, 1,
             model_->config.hidden_size, model_->config.vocab_size,
             greedy ? 1.0F : static_cast<float>(1.0 / p.temperature), p.top_k,
             static_cast<float>(p.top_p), static_cast<float>(p.min_p)});
    c.ids.push_back(d.get(id, std::size_t{1})[0]);
    c.logprobs.push_back(d.get(logprob, Index{1})[0]);
    c.entropies.push_back(d.get(entropy, Index{1})[0]);
    c.sampled.push_back(1);
  }

  bool ends(Completion& c) const {
    const auto& stops = params_->stop_ids;
    c.finish = aha::FinishReason::Stop;
    if (std::find(stops.begin(), stops.end(), c.ids.back()) != stops.end()) return true;
    c.finish = aha::FinishReason::String;
    for (const auto& s : params_->stop_strings)
      if (letters(c.ids).ends_with(s)) return true;
    c.finish = aha::FinishReason::Length;
    return c.length() >= params_->max_completion_length;
  }

  Model* model_;
  const SamplingParams* params_;
  aha::KvCache cache_;
  aha::Scratch scratch_;
  std::vector<std::int32_t> table_;
};

inline std::vector<Group> one_by_one(Model& model, const SamplingParams& params) {
  std::vector<Group> groups;
  OneByOne decoding(model, params);
  for (const auto& request : requests(model.config.vocab_size)) {
    auto& group = groups.emplace_back(Group{request.ordinal, request.prompt, {}, {}});
    for (std::int64_t i = 0; i < request.samples; ++i) {
      auto c = decoding.completion(request, request.first_sample + i);
      std::span<const aha::TokenId> text = c.ids;
      if (c.finish == aha::FinishReason::Stop) text = text.first(text.size() - 1);
      c.text = request.prompt.prefill + letters(text);
      group.completions.push_back(c);
    }
  }
  return groups;
}

}  // namespace aha_test

#pragma once
#include <string>
#include <vector>

#include "rollout/engine.h"
#include "tests/trainer/model/decoder_support.h"

namespace aha_test {

using aha::Completion;
using aha::Engine;
using aha::Group;
using aha::GroupRequest;
using aha::SamplingParams;

/// Letters: id 0 is "a", 1 is "b", ...
inline std::string letters(std::span<const aha::TokenId> ids) {
  std::string text;
  for (const auto id : ids)
    text += static_cast<char>('a' + id % 26);
  return text;
}

/// Prompts of different lengths: below, at and above a block of the cache; groups of different sizes.
inline std::vector<GroupRequest> requests(std::int64_t vocabulary) {
  std::vector<GroupRequest> out;
  std::uint64_t ordinal = 40;
  for (const std::int64_t length : {1, 7, 16, 19, 33, 5}) {
    GroupRequest request;
    request.ordinal = ordinal++;
    request.samples = 1 + length % 5;
    request.first_sample = length == 7 ? 2 : 0;
    for (std::int64_t t = 0; t < length; ++t)
      request.prompt.ids.push_back((t * t + 3 * length + 1) % vocabulary);
    request.prompt.prefill.assign(1, '<');
    out.push_back(request);
  }
  return out;
}

/// Ends after a few tokens or many, by two stop ids or the limit.
inline SamplingParams params() {
  SamplingParams p;
  p.max_completion_length = 40;
  p.stop_ids = {2, 9, 17};
  p.seed = 77;
  return p;
}

inline bool same(const Completion& a, const Completion& b) {
  const auto same_floats = [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * 4) == 0;
  };
  return a.index == b.index && a.ids == b.ids && a.finish == b.finish && a.text == b.text &&
         a.sampled == b.sampled && same_floats(a.logprobs, b.logprobs) &&
         same_floats(a.entropies, b.entropies);
}

inline bool same(const Group& a, const Group& b) {
  bool equal = a.ordinal == b.ordinal && a.completions.size() == b.completions.size();
  for (std::size_t i = 0; equal && i < a.completions.size(); ++i)
    equal = same(a.completions[i], b.completions[i]);
  return equal;
}

inline bool same(const std::vector<Group>& a, const std::vector<Group>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i)
    equal = same(a[i], b[i]);
  return equal;
}

inline std::vector<Group> rollout(Model& model, const SamplingParams& p, aha::Exec exec = {},
                                  std::int64_t max_batch = 0) {
  Engine engine(model.decoder, model.weights, exec, model.config.vocab_size, letters, max_batch);
  return engine.generate(requests(model.config.vocab_size), p);
}

}  // namespace aha_test

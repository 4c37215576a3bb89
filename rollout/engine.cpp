#include "rollout/engine.h"

#include <algorithm>
#include <utility>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

std::vector<Group> empty_groups(std::span<const GroupRequest> requests,
                                std::int64_t weights_version) {
  std::vector<Group> groups;
  groups.reserve(requests.size());
  for (const auto& request : requests) {
    Group group{request.ordinal, request.prompt, {}, {}};
    group.completions.resize(static_cast<std::size_t>(request.samples));
    for (std::size_t i = 0; i < group.completions.size(); ++i) {
      group.completions[i].index = request.first_sample + static_cast<std::int64_t>(i);
      group.completions[i].weights_version = weights_version;
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Of a request's rows, halfway through its completion.
std::int64_t mean_positions(std::span<const GroupRequest> requests, const SamplingParams& params) {
  std::int64_t longest = 0;
  for (const auto& request : requests)
    longest = std::max(longest, static_cast<std::int64_t>(request.prompt.ids.size()));
  return longest + params.max_completion_length / 2;
}

/// Positions have rotary angles up to the model's limit and no further.
void check_lengths(std::span<const GroupRequest> requests, const SamplingParams& params,
                   std::int64_t max_positions) {
  for (const auto& request : requests) {
    const auto prompt = static_cast<std::int64_t>(request.prompt.ids.size());
    const std::int64_t length = request.max_completion_length > 0 ? request.max_completion_length
                                                                  : params.max_completion_length;
    if (prompt + length > max_positions)
      fail(
          "a prompt of {} tokens with max_completion_length {} is longer than the {} positions of "
          "the model",
          prompt, length, max_positions);
  }
}

}  // namespace

Engine::Engine(const Decoder& decoder, ParameterProvider& weights, Exec exec,
               std::int64_t vocabulary, DecodeText decode, std::int64_t max_batch)
    : runner_(decoder, weights, exec, vocabulary),
      decode_(std::move(decode)),
      max_batch_(max_batch),
      max_positions_(decoder.config().positions()) {}

bool Engine::take(Sequence& sequence, const Drawn& drawn, const SamplingParams& params,
                  const StopMatcher& stop) const {
  Completion& c = *sequence.completion;
  c.ids.push_back(drawn.id);
  c.logprobs.push_back(drawn.logprob);
  c.entropies.push_back(drawn.entropy);
  c.sampled.push_back(1);
  if (std::find(params.stop_ids.begin(), params.stop_ids.end(), drawn.id) !=
      params.stop_ids.end()) {
    c.finish = FinishReason::Stop;
  } else if (stop.completed(c.ids)) {
    c.finish = FinishReason::String;
  } else if (c.length() >= sequence.max_length) {
    c.finish = FinishReason::Length;
  } else {
    return false;
  }
  return true;
}

void Engine::write_text(Group& group) const {
  for (auto& c : group.completions) {
    std::span<const TokenId> ids = c.ids;
    if (c.finish == FinishReason::Stop) ids = ids.first(ids.size() - 1);
    if (decode_) c.text = group.prompt.prefill + decode_(ids);
  }
}

std::vector<Group> Engine::generate(std::span<const GroupRequest> requests,
                                    const SamplingParams& params, std::int64_t weights_version,
                                    const RolloutHooks& hooks) {
  const auto start = Clock::now();
  stats_ = {};
  check_lengths(requests, params, max_positions_);
  check(params.stop_strings.empty() || decode_, "stop strings need text");
  std::vector<Group> groups = empty_groups(requests, weights_version);
  std::int64_t rows = runner_.rows_in_caches(mean_positions(requests, params));
  for (const auto limit : {max_batch_, hooks.max_batch})
    if (limit > 0) rows = std::min(rows, limit);
  Scheduler scheduler(requests, rows, params.max_completion_length, hooks.claim);
  const StopMatcher stop(params.stop_strings, decode_);
  runner_.reserve(scheduler.num_blocks());
  std::vector<Drawn> drawn(static_cast<std::size_t>(scheduler.max_batch()));
  const auto take_all = [&](const std::vector<Sequence*>& sequences) {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      ++stats_.completion_tokens;
      const bool finished = take(*sequences[i], drawn[i], params, stop);
      const auto request = sequences[i]->prompt->request;
      if (hooks.on_token) hooks.on_token(request, *sequences[i]->completion);
      if (!finished) continue;
      if (!scheduler.finish(sequences[i])) continue;
      write_text(groups[request]);
      if (hooks.on_group) hooks.on_group(groups[request]);
    }
  };
  while (!scheduler.done()) {
    if (hooks.cancelled && hooks.cancelled()) return {};
    const auto admission = Clock::now();
    const auto admitted = scheduler.admit(groups);
    runner_.prefill(admitted.prompts, requests);
    runner_.copy(admitted.copies);
    for (const auto* prompt : admitted.prompts)
      stats_.prompt_tokens +=
          static_cast<std::int64_t>(requests[prompt->request].prompt.ids.size());
    runner_.first_tokens(admitted.sequences, params, drawn);
    stats_.prefill_seconds += seconds_since(admission);
    take_all(admitted.sequences);
    const std::vector<Sequence*> running = scheduler.running();
    if (running.empty()) continue;
    runner_.next_tokens(running, params, drawn);
    for (auto* s : running)
      ++s->position;
    ++stats_.decode_steps;
    take_all(running);
  }
  check(scheduler.consistent(), "slots and blocks are all free at the end of a rollout");
  stats_.seconds = seconds_since(start);
  if (hooks.claim)
    std::erase_if(groups, [](const Group& g) { return g.completions.front().ids.empty(); });
  return groups;
}

}  // namespace aha

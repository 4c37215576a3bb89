#include "rollout/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/kernels/out_of_memory.h"

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

/// What is under way: drawings that were asked for and not taken, the oldest first.
struct Engine::Rollout {
  Engine& engine;
  const SamplingParams& params;
  const RolloutHooks& hooks;
  const StopMatcher& stop;
  Scheduler& scheduler;
  std::vector<Group>& groups;
  std::deque<Drawing> drawings = {};

  /// Takes what was drawn until `ahead` drawings are left.
  void settle(std::size_t ahead);
  /// Of the running, those that some more tokens can be asked for.
  std::vector<Sequence*> unfinished() const;

 private:
  void take(Sequence& sequence, const DrawnToken& drawn);
  bool ends(Completion& completion, std::int64_t max_length) const;
  void finish(Sequence& sequence);
};

void Engine::Rollout::settle(std::size_t ahead) {
  while (drawings.size() > ahead) {
    Drawing& oldest = drawings.front();
    engine.runner_.receive(oldest);
    auto token = oldest.tokens.begin();
    for (std::int64_t step = 0; step < oldest.steps; ++step)
      for (auto*& sequence : oldest.sequences) {
        if (sequence != nullptr) take(*sequence, *token);
        ++token;
      }
    drawings.pop_front();
  }
}

std::vector<Sequence*> Engine::Rollout::unfinished() const {
  auto sequences = scheduler.running();
  std::erase_if(sequences, [](const Sequence* s) { return s->asked >= s->max_length; });
  return sequences;
}

void Engine::Rollout::take(Sequence& sequence, const DrawnToken& drawn) {
  check(drawn.id >= 0, "a running completion has a token a step");
  Completion& c = *sequence.completion;
  c.ids.push_back(drawn.id);
  c.logprobs.push_back(drawn.logprob);
  c.entropies.push_back(drawn.entropy);
  c.sampled.push_back(1);
  ++engine.stats_.completion_tokens;
  const bool finished = ends(c, sequence.max_length);
  if (hooks.on_token) hooks.on_token(sequence.prompt->request, c);
  if (finished) finish(sequence);
}

bool Engine::Rollout::ends(Completion& c, std::int64_t max_length) const {
  if (std::find(params.stop_ids.begin(), params.stop_ids.end(), c.ids.back()) !=
      params.stop_ids.end()) {
    c.finish = FinishReason::Stop;
  } else if (stop.completed(c.ids)) {
    c.finish = FinishReason::String;
  } else if (c.length() >= max_length) {
    c.finish = FinishReason::Length;
  } else {
    return false;
  }
  return true;
}

/// Tokens of it that are still to come, of a device that did not know, are nobody's.
void Engine::Rollout::finish(Sequence& sequence) {
  for (auto& drawing : drawings)
    std::replace(drawing.sequences.begin(), drawing.sequences.end(), &sequence,
                 static_cast<Sequence*>(nullptr));
  Group& group = groups[sequence.prompt->request];
  if (!scheduler.finish(&sequence)) return;
  engine.write_text(group);
  if (hooks.on_group) hooks.on_group(group);
}

void Engine::write_text(Group& group) const {
  for (auto& c : group.completions) {
    std::span<const TokenId> ids = c.ids;
    if (c.finish == FinishReason::Stop) ids = ids.first(ids.size() - 1);
    if (decode_) c.text = group.prompt.prefill + decode_(ids);
  }
}

/// Fewer rows at once change no completion, but for the bits of a GPU's products.
Scheduler Engine::begin(std::span<const GroupRequest> requests, const SamplingParams& params,
                        std::int64_t most, const Claim& claim) {
  for (;;) {
    Scheduler scheduler(requests, most, params.max_completion_length, claim);
    try {
      runner_.begin(scheduler, params);
      return scheduler;
    } catch (const OutOfMemory& error) {
      if (scheduler.max_batch() == 1) throw;
      most = max_batch_ = scheduler.max_batch() / 2;
      spdlog::warn("{}; going on with at most {} rows at once", error.what(), most);
    }
  }
}

std::int64_t Engine::most_rows(std::int64_t positions, std::int64_t limit) const {
  std::int64_t most = runner_.rows_in_caches(positions);
  for (const auto rows : {max_batch_, limit})
    if (rows > 0) most = std::min(most, rows);
  return most;
}

void Engine::expect(const RolloutShape& shape) {
  // a scheduler holds no more prompts than rows
  std::vector<GroupRequest> requests(
      static_cast<std::size_t>(std::min<std::int64_t>(shape.prompts, kMostRows)));
  for (auto& request : requests) {
    request.prompt.ids.assign(static_cast<std::size_t>(shape.longest_prompt), 0);
    request.samples = shape.samples;
  }
  const std::int64_t positions = shape.longest_prompt + shape.max_completion_length / 2;
  runner_.expect(
      Scheduler(requests, most_rows(positions, shape.max_batch), shape.max_completion_length));
}

std::vector<Group> Engine::generate(std::span<const GroupRequest> requests,
                                    const SamplingParams& params, std::int64_t weights_version,
                                    const RolloutHooks& hooks) {
  const auto start = Clock::now();
  stats_ = {};
  check_lengths(requests, params, max_positions_);
  check(params.stop_strings.empty() || decode_, "stop strings need text");
  std::vector<Group> groups = empty_groups(requests, weights_version);
  Scheduler scheduler = begin(
      requests, params, most_rows(mean_positions(requests, params), hooks.max_batch), hooks.claim);
  const StopMatcher stop(params.stop_strings, decode_);
  Rollout rollout{*this, params, hooks, stop, scheduler, groups};
  while (!scheduler.done()) {
    if (hooks.cancelled && hooks.cancelled()) return {};
    const auto admission = Clock::now();
    const auto admitted = scheduler.admit(groups);
    runner_.prefill(admitted.prompts, requests);
    runner_.copy(admitted.copies);
    for (const auto* prompt : admitted.prompts)
      stats_.prompt_tokens += std::ssize(requests[prompt->request].prompt.ids);
    if (!admitted.sequences.empty())
      rollout.drawings.push_back(runner_.first_tokens(admitted.sequences));
    stats_.prefill_seconds += seconds_since(admission);
    rollout.settle(runner_.drawings_ahead());
    const auto rows = rollout.unfinished();
    if (!rows.empty())
      stats_.decode_steps += rollout.drawings.emplace_back(runner_.next_tokens(rows)).steps;
    rollout.settle(rows.empty() ? 0 : runner_.drawings_ahead());
  }
  check(scheduler.consistent(), "slots and blocks are all free at the end of a rollout");
  stats_.seconds = seconds_since(start);
  if (hooks.claim)
    std::erase_if(groups, [](const Group& g) { return g.completions.front().ids.empty(); });
  return groups;
}

}  // namespace aha

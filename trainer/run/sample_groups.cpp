#include "trainer/run/sample_groups.h"

#include <algorithm>
#include <cmath>

#include "trainer/core/bytes.h"
#include "trainer/core/clock.h"
#include "trainer/run/background_scoring.h"
#include "trainer/run/update.h"

namespace aha {
namespace {

void write_optional(ByteWriter& out, const std::optional<double>& value) {
  out.add(value.has_value());
  out.add(value.value_or(0.0));
}

std::optional<double> read_optional(ByteReader& in) {
  const bool there = in.get<bool>();
  const double value = in.get<double>();
  return there ? std::optional(value) : std::nullopt;
}

void write_completion(ByteWriter& out, const Completion& c) {
  out.add(c.index);
  out.add(c.ids);
  out.add(c.logprobs);
  out.add(c.entropies);
  out.add(c.sampled);
  out.add(c.finish);
  out.add(c.weights_version);
  out.add(c.text);
}

Completion read_completion(ByteReader& in) {
  Completion c;
  c.index = in.get<std::int64_t>();
  c.ids = in.values<TokenId>();
  c.logprobs = in.values<float>();
  c.entropies = in.values<float>();
  c.sampled = in.values<std::uint8_t>();
  c.finish = in.get<FinishReason>();
  c.weights_version = in.get<std::int64_t>();
  c.text = in.text();
  return c;
}

void write_score(ByteWriter& out, const Score& score) {
  write_optional(out, score.total);
  write_optional(out, score.accuracy);
  out.add(score.parts.size());
  for (const auto& part : score.parts) {
    write_optional(out, part.score);
    out.add(part.extracted);
    out.add(part.reason);
    out.add(part.steps);
  }
}

Score read_score(ByteReader& in) {
  Score score;
  score.total = read_optional(in);
  score.accuracy = read_optional(in);
  const auto parts = in.get<std::size_t>();
  for (std::size_t i = 0; i < parts; ++i) {
    RewardPart& part = score.parts.emplace_back();
    part.score = read_optional(in);
    part.extracted = in.text();
    part.reason = in.text();
    part.steps = in.get<std::int64_t>();
  }
  return score;
}

/// Prompts are not sent: every rank has the requests.
std::string message_of(const std::vector<Group>& groups, const std::vector<std::size_t>& requests) {
  ByteWriter out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    out.add(requests[i]);
    out.add(groups[i].completions.size());
    for (const auto& completion : groups[i].completions)
      write_completion(out, completion);
    for (const auto& score : groups[i].scores)
      write_score(out, score);
  }
  return out.take();
}

void read_message(const std::string& bytes, std::span<const GroupRequest> requests,
                  std::vector<Group>& groups) {
  ByteReader in(bytes);
  while (!in.done()) {
    const auto request = in.get<std::size_t>();
    check(request < requests.size() && groups[request].completions.empty(),
          "every group was sampled by one rank");
    Group& group = groups[request];
    group.ordinal = requests[request].ordinal;
    group.prompt = requests[request].prompt;
    const auto count = in.get<std::size_t>();
    for (std::size_t c = 0; c < count; ++c)
      group.completions.push_back(read_completion(in));
    for (std::size_t c = 0; c < count; ++c)
      group.scores.push_back(read_score(in));
  }
}

/// The groups of all ranks; nothing when any is missing: a rank stopped before it had all that it took.
std::optional<std::vector<Group>> gather(Communicator& comm, std::vector<Group> own,
                                         const std::vector<std::size_t>& taken,
                                         std::span<const GroupRequest> requests) {
  const auto missing = [](const Group& group) { return group.completions.empty(); };
  const Phase phase(comm, "gather");
  if (comm.size() == 1)
    return own.size() == requests.size() ? std::optional(std::move(own)) : std::nullopt;
  std::vector<Group> groups(requests.size());
  for (const auto& bytes : comm.all_gather(message_of(own, taken), "gather_groups"))
    read_message(bytes, requests, groups);
  if (std::any_of(groups.begin(), groups.end(), missing)) return std::nullopt;
  return groups;
}

/// Requests of all ranks' queue, claimed in runs that grow shorter towards its end: few questions, and no
/// rank is left with much when the others are done (Polychronopoulos and Kuck 1987, guided self-scheduling).
class WorkQueue {
 public:
  WorkQueue(Communicator& comm, std::size_t requests)
      : comm_(comm), requests_(requests), ranks_(static_cast<std::size_t>(comm.size())) {
    comm_.open_queue();
  }

  /// At or beyond the number of requests: none are left.
  std::size_t next() {
    if (next_ == end_) {
      const std::size_t left = requests_ - std::min(end_, requests_);
      const std::size_t run = std::max<std::size_t>(1, left / (2 * ranks_));
      next_ = static_cast<std::size_t>(comm_.claim(static_cast<std::int64_t>(run)));
      end_ = next_ + run;
    }
    return next_++;
  }

 private:
  Communicator& comm_;
  std::size_t requests_;
  std::size_t ranks_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
};

/// Rows that a rank may start at once, so that the others get their share of the queue.
std::int64_t fair_share(std::span<const GroupRequest> requests, int ranks) {
  if (ranks == 1) return 0;
  std::int64_t rows = 0;
  for (const auto& request : requests)
    rows += request.samples;
  return (rows + ranks - 1) / ranks;
}

/// Training and the evaluations of a step may draw the same ordinals.
std::string purpose_of(const SamplingParams& params) {
  if (params.purpose == Purpose::Rollout) return "";
  return fmt::format("{}{}.", params.temperature == 0 ? "greedy" : "eval", params.stage);
}

}  // namespace

void require_finite(std::span<const Group> groups) {
  for (const auto& group : groups)
    for (const auto& completion : group.completions)
      if (std::any_of(completion.logprobs.begin(), completion.logprobs.end(),
                      [](float logprob) { return !std::isfinite(logprob); }))
        throw NotFinite(
            fmt::format("the model's probabilities after row {} of {} ('{}') are not finite: its "
                        "weights hold NaN or Inf, or lead there",
                        group.prompt.row, group.prompt.source, group.prompt.text.substr(0, 60)));
}

std::optional<SampledGroups> sample_groups(const SamplingTools& tools,
                                           std::span<const GroupRequest> requests,
                                           const SamplingParams& params, std::int64_t version,
                                           const std::function<bool()>& cancelled) {
  SampledGroups result;
  std::vector<std::size_t> taken;
  bool stopped = false;
  RolloutHooks hooks;
  std::optional<BackgroundScoring> background;
  const auto purpose = purpose_of(params);
  if (tools.scorer.waits() || tools.engine.on_device())
    background.emplace(tools.scorer, params.max_completion_length, purpose);
  hooks.on_group = [&](Group& group) {
    if (background) return background->add(group);
    const Phase phase(tools.comm, "reward");
    const auto begin = Clock::now();
    tools.scorer.score_group(group, params.max_completion_length, purpose);
    result.reward_s += seconds_since(begin);
  };
  hooks.cancelled = [&] { return stopped = cancelled && cancelled(); };
  WorkQueue queue(tools.comm, requests.size());
  hooks.claim = [&] {
    const auto next = queue.next();
    if (next < requests.size()) taken.push_back(next);
    return next;
  };
  hooks.max_batch = fair_share(requests, tools.comm.size());
  const auto start = Clock::now();
  if (tools.weights != nullptr) tools.weights->begin_rollout();
  auto own = tools.engine.generate(requests, params, version, hooks);
  if (tools.weights != nullptr) tools.weights->end_rollout();
  result.rollout_s = seconds_since(start) - result.reward_s;
  if (stopped) own.clear();
  if (background && !stopped) {
    const Phase phase(tools.comm, "reward");
    const auto decoded = Clock::now();
    background->finish(own);
    result.reward_s = seconds_since(decoded);
  }
  auto groups = gather(tools.comm, std::move(own), taken, requests);
  if (!groups) return std::nullopt;
  result.groups = std::move(*groups);
  require_finite(result.groups);
  if (tools.comm.leads()) tools.scorer.say_unjudged(result.groups);
  for (const auto& group : result.groups)
    for (const auto& completion : group.completions)
      result.completion_tokens += completion.length();
  return result;
}

}  // namespace aha

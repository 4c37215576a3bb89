#include "rollout/scheduler.h"

#include <algorithm>

#include "trainer/core/error.h"

namespace aha {
namespace {

std::int64_t prompt_length(const GroupRequest& request) {
  return static_cast<std::int64_t>(request.prompt.ids.size());
}

}  // namespace

Scheduler::Scheduler(std::span<const GroupRequest> requests, std::int64_t max_batch,
                     std::int64_t max_completion_length, Claim claim)
    : requests_(requests),
      max_completion_length_(max_completion_length),
      claim_(std::move(claim)),
      exhausted_(requests.empty()) {
  if (!claim_) claim_ = [next = std::size_t{0}]() mutable { return next++; };
  std::int64_t total = 0;
  std::int64_t smallest_group = requests.empty() ? 1 : requests.front().samples;
  for (const auto& request : requests) {
    check(!request.prompt.ids.empty() && request.samples > 0, "a request has a prompt and samples");
    check(request.max_completion_length <= max_completion_length,
          "a request's length is at most the parameters'");
    total += request.samples;
    longest_prompt_ = std::max(longest_prompt_, prompt_length(request));
    prompt_tokens_ += prompt_length(request);
    smallest_group = std::min(smallest_group, request.samples);
  }
  max_batch_ = std::max<std::int64_t>(1, max_batch > 0 ? std::min(max_batch, total) : total);
  // Twice the prompts that fill the batch: stragglers of old groups do not keep new ones from starting.
  num_places_ =
      std::min<std::int64_t>({static_cast<std::int64_t>(std::max<std::size_t>(1, requests.size())),
                              max_batch_, 2 * (max_batch_ / smallest_group + 1)});
  prompt_tokens_ = std::min(prompt_tokens_, num_places_ * longest_prompt_);
  prompt_blocks_ = round_up(longest_prompt_, kKvBlock) / kKvBlock;
  own_blocks_ = round_up(kKvBlock - 1 + max_completion_length, kKvBlock) / kKvBlock;
  num_blocks_ = num_places_ * prompt_blocks_ + max_batch_ * own_blocks_;
  sequences_.resize(static_cast<std::size_t>(max_batch_));
  for (auto slot = static_cast<std::int32_t>(max_batch_) - 1; slot >= 0; --slot)
    free_slots_.push_back(slot);
  for (auto place = static_cast<std::int32_t>(num_places_) - 1; place >= 0; --place)
    free_prompt_places_.push_back(place);
}

/// Takes one more request, only when it can start at once: others may be free for it earlier.
bool Scheduler::claim() {
  if (exhausted_) return false;
  claimed_ = claim_();
  exhausted_ = claimed_ >= requests_.size();
  return !exhausted_;
}

SharedPrompt* Scheduler::start_prompt(std::size_t index) {
  const auto& request = requests_[index];
  auto prompt = std::make_unique<SharedPrompt>();
  prompt->request = index;
  prompt->to_start = prompt->unfinished = request.samples;
  prompt->place = free_prompt_places_.back();
  free_prompt_places_.pop_back();
  const auto first = static_cast<std::int32_t>(prompt->place * prompt_blocks_);
  for (Index b = 0; b * kKvBlock < prompt_length(request); ++b)
    prompt->blocks.push_back(first + static_cast<std::int32_t>(b));
  prompts_.push_back(std::move(prompt));
  return prompts_.back().get();
}

Sequence* Scheduler::start_sequence(SharedPrompt& prompt, Group& group, Admitted& admitted) {
  const auto& request = requests_[prompt.request];
  const std::int64_t index = request.samples - prompt.to_start--;
  const std::int32_t slot = free_slots_.back();
  free_slots_.pop_back();
  auto& owner = sequences_[static_cast<std::size_t>(slot)];
  owner = std::make_unique<Sequence>();
  Sequence& s = *owner;
  s.prompt = &prompt;
  s.completion = &group.completions[static_cast<std::size_t>(index)];
  s.ordinal = request.ordinal;
  s.sample = request.first_sample + index;
  s.max_length =
      request.max_completion_length > 0 ? request.max_completion_length : max_completion_length_;
  s.slot = slot;
  const std::int64_t length = prompt_length(request);
  s.position = static_cast<std::int32_t>(length);
  const auto full = static_cast<std::ptrdiff_t>(length / kKvBlock);
  s.table.assign(prompt.blocks.begin(), prompt.blocks.begin() + full);
  const auto first_own =
      static_cast<std::int32_t>(num_blocks_ - (static_cast<Index>(slot) + 1) * own_blocks_);
  for (std::int32_t b = 0; b < own_blocks_; ++b)
    s.table.push_back(first_own + b);
  const auto partial = static_cast<std::int32_t>(length % kKvBlock);
  if (partial > 0) admitted.copies.push_back({prompt.blocks.back(), first_own, partial});
  running_.push_back(&s);
  return &s;
}

Scheduler::Admitted Scheduler::admit(std::vector<Group>& groups) {
  Admitted admitted;
  for (auto& prompt : prompts_)
    while (prompt->to_start > 0 && !free_slots_.empty())
      admitted.sequences.push_back(start_sequence(*prompt, groups[prompt->request], admitted));
  while (!free_slots_.empty() && !free_prompt_places_.empty() && claim()) {
    SharedPrompt* prompt = start_prompt(claimed_);
    admitted.prompts.push_back(prompt);
    while (prompt->to_start > 0 && !free_slots_.empty())
      admitted.sequences.push_back(start_sequence(*prompt, groups[prompt->request], admitted));
  }
  return admitted;
}

bool Scheduler::finish(Sequence* sequence) {
  SharedPrompt* prompt = sequence->prompt;
  running_.erase(std::find(running_.begin(), running_.end(), sequence));
  free_slots_.push_back(sequence->slot);
  sequences_[static_cast<std::size_t>(sequence->slot)].reset();
  if (--prompt->unfinished > 0) return false;
  free_prompt_places_.push_back(prompt->place);
  prompts_.erase(std::find_if(prompts_.begin(), prompts_.end(),
                              [&](const auto& p) { return p.get() == prompt; }));
  return true;
}

bool Scheduler::consistent() const {
  const auto used = static_cast<std::size_t>(std::count_if(
      sequences_.begin(), sequences_.end(), [](const auto& s) { return s != nullptr; }));
  std::vector<int> owners(static_cast<std::size_t>(num_blocks_), 0);
  for (const auto& prompt : prompts_)
    for (const auto block : prompt->blocks)
      ++owners[static_cast<std::size_t>(block)];
  for (const auto* s : running_)
    for (auto b = s->table.size() - static_cast<std::size_t>(own_blocks_); b < s->table.size(); ++b)
      ++owners[static_cast<std::size_t>(s->table[b])];
  return used == running_.size() && used + free_slots_.size() == sequences_.size() &&
         std::all_of(owners.begin(), owners.end(), [](int n) { return n <= 1; });
}

}  // namespace aha

#include "trainer/optim/gradient_sum.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/kernels/device_ops.h"
#include "trainer/optim/network_memory.h"

namespace aha {
namespace {

/// Sums as integers, in memory for twice as many floats.
std::int64_t* fixed_of(const Buffer& buffer) {
  return reinterpret_cast<std::int64_t*>(buffer.data());
}

std::uint16_t* sixteen_of(const Buffer& buffer) {
  return reinterpret_cast<std::uint16_t*>(buffer.data());
}

/// Whether sums like these of `ranks` ranks cannot overflow together.
bool leave_room(const Ops& ops, const std::int64_t* sums, std::int64_t n, int ranks) {
  if (ranks == 1) return true;
  const auto limit = std::numeric_limits<std::int64_t>::max() / ranks;
  if (ops.device != nullptr) return ops.device->fixed_within(sums, n, limit);
  return std::all_of(sums, sums + n, [=](auto v) { return v <= limit && v >= -limit; });
}

/// Calls body(begin, end) for parts of n elements, by the team.
template <class Body>
void over_parts(const Exec& exec, std::int64_t n, const Body& body) {
  exec.run((n + kShardUnit - 1) / kShardUnit, [&](std::int64_t unit) {
    body(unit * kShardUnit, std::min(n, (unit + 1) * kShardUnit));
  });
}

/// to += from. False when a sum overflows.
bool add_to(const Ops& ops, const Exec& exec, const std::int64_t* from, std::int64_t n,
            std::int64_t* to) {
  if (ops.device != nullptr) return ops.device->sum_fixed(from, n, to);
  std::atomic<bool> sound = true;
  over_parts(exec, n, [&](std::int64_t begin, std::int64_t end) {
    bool overflow = false;
    for (auto i = begin; i < end; ++i)
      overflow |= __builtin_add_overflow(to[i], from[i], &to[i]);
    if (overflow) sound = false;
  });
  return sound;
}

void add_to(const Ops& ops, const Exec& exec, const float* from, std::int64_t n, float* to) {
  if (ops.device != nullptr) return ops.add_bias(exec, from, 1, n, to);  // one row of a bias
  over_parts(exec, n, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i)
      to[i] += from[i];
  });
}

/// One rank has nothing to divide; what is rounded is kept apart from a micro-batch's.
int stage_of(const GradientSum::Options& options, int ranks) {
  const bool apart = options.accumulate == FloatType::BF16;
  if (ranks == 1) return apart ? 2 : 1;
  return apart ? std::max(2, options.zero_stage) : options.zero_stage;
}

}  // namespace

std::vector<GradientSum::Bucket> GradientSum::cut(const ParameterLayout& layout,
                                                  std::int64_t elements) {
  std::vector<Bucket> buckets;
  std::int64_t end = layout.total;
  for (auto l = static_cast<Index>(layout.blocks.size()) - 1; l > 0; --l) {
    const auto begin = layout.blocks[static_cast<std::size_t>(l)].input_norm;
    if (end - begin < elements) continue;
    buckets.emplace_back().range = {begin, end};
    buckets.back().first_layer = l;
    end = begin;
  }
  buckets.emplace_back().range = {0, end};
  return buckets;
}

std::vector<std::int64_t> GradientSum::places(const std::vector<Bucket>& buckets, int zero_stage) {
  std::vector<std::int64_t> places;
  if (zero_stage == 1) {
    for (const auto& bucket : buckets)
      places.push_back(bucket.range.begin);
    places.push_back(buckets.front().range.end);
    return places;
  }
  // the first and the last are in use from the pass's begin, or to its end; those between take turns in two places
  std::int64_t most = 0;
  for (std::size_t i = 1; i + 1 < buckets.size(); ++i)
    most = std::max(most, buckets[i].range.size());
  const std::int64_t first = buckets.front().range.size();
  const std::int64_t turns = std::min<std::int64_t>(
      2, std::max<std::int64_t>(0, static_cast<std::int64_t>(buckets.size()) - 2));
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto turn = static_cast<std::int64_t>((i + 1) % 2);
    const bool between = i > 0 && i + 1 < buckets.size();
    places.push_back(i == 0 ? 0 : first + most * (between ? turn : turns));
  }
  places.push_back(buckets.size() == 1 ? first : places.back() + buckets.back().range.size());
  return places;
}

GradientSum::GradientSum(const ParameterLayout& layout, const Ops& ops, const Exec& exec,
                         Communicator& comm, const Options& options)
    : ops_(&ops),
      exec_(exec),
      comm_(&comm),
      options_(options),
      blocks_(layout.blocks),
      embed_(layout.embed),
      final_norm_(layout.final_norm),
      head_(layout.head),
      buckets_(cut(layout, options.bucket_elements)) {
  check(!options.strict || !rounds(), "strict sums are integers");
  options_.zero_stage = stage_of(options, comm.size());
  const auto shards = shards_of(layout.total, comm.size());
  own_ = shards[static_cast<std::size_t>(comm.rank())];
  const auto at = places(buckets_, options_.zero_stage);
  values_.reserve(rounds() ? std::max(at.back(), kShardUnit) : at.back(), *ops.memory);
  if (options_.strict) fixed_.reserve(2 * at.back(), *ops.memory);
  if (options_.zero_stage >= 2) {
    own_values_.reserve(rounds() ? (own_.size() + 1) / 2 : own_.size(), *ops.memory);
    if (options_.strict) own_fixed_.reserve(2 * own_.size(), *ops.memory);
  }
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    Bucket& bucket = buckets_[i];
    bucket.values = values_.data() + at[i];
    if (options_.strict) bucket.fixed = fixed_of(fixed_) + at[i];
    bucket.owners = parts_in(shards, bucket.range);
  }
  if (!ops.memory->host || comm.among_neighbours()) return;  // nothing comes by itself
  const auto [even, odd] = rooms(buckets_, own_, comm.size());
  const int floats = options_.strict ? 2 : 1;  // of an element
  room_.reserve(floats * (even + odd), *ops.memory);
  for (std::size_t i = 0; i < buckets_.size(); ++i)
    if (common_part(own_, buckets_[i].range).size() > 0)
      buckets_[i].room = room_.data() + (i % 2 == 0 ? 0 : floats * even);
}

GradientSum::~GradientSum() {
  if (std::any_of(buckets_.begin(), buckets_.end(), [](const Bucket& b) { return b.sent; }))
    give_to_the_network(std::make_shared<std::array<Buffer, 3>>(
        std::array{std::move(values_), std::move(fixed_), std::move(room_)}));
}

std::int64_t GradientSum::bytes_for(const ParameterLayout& layout, const Options& options,
                                    int ranks) {
  const int stage = stage_of(options, ranks);
  const std::int64_t own = stage == 1 ? 0 : (layout.total + ranks - 1) / ranks;
  const std::int64_t elements = places(cut(layout, options.bucket_elements), stage).back();
  const std::int64_t bytes = options.strict ? 12 : 4;
  return elements * bytes + own * (options.accumulate == FloatType::BF16 ? 2 : bytes);
}

std::array<std::int64_t, 2> GradientSum::rooms(const std::vector<Bucket>& buckets, const Slice& own,
                                               int ranks) {
  std::array<std::int64_t, 2> most{};
  for (std::size_t i = 0; i < buckets.size(); ++i)
    most[i % 2] = std::max(most[i % 2], (ranks - 1) * common_part(own, buckets[i].range).size());
  return most;
}

std::int64_t GradientSum::room_bytes_for(const ParameterLayout& layout, const Options& options,
                                         int ranks) {
  std::int64_t most = 0;
  for (const auto& own : shards_of(layout.total, ranks)) {
    const auto [even, odd] = rooms(cut(layout, options.bucket_elements), own, ranks);
    most = std::max(most, even + odd);
  }
  return most * (options.strict ? 8 : 4);
}

void GradientSum::begin(std::int64_t own, std::int64_t most, std::int64_t update) {
  examining_ = false;
  update_ = update;
  round_ = 0;
  sound_ = sum_sound_ = true;
  rounds_left_ = options_.zero_stage >= 2 ? most : std::max<std::int64_t>(1, own);
  if (!starts_anew()) ops_->zero(exec_, values_.data(), values_.bytes());
  if (options_.zero_stage == 1) {
    if (options_.strict) ops_->zero(exec_, fixed_.data(), fixed_.bytes());
    return;
  }
  ops_->zero(exec_, own_values_.data(), own_values_.bytes());
  if (options_.strict) ops_->zero(exec_, own_fixed_.data(), own_fixed_.bytes());
}

void GradientSum::begin_examination() {
  examining_ = true;
  sound_ = true;
}

GradientSum::Bucket& GradientSum::bucket_of(Index layer) {
  return *std::find_if(buckets_.begin(), buckets_.end(),
                       [&](const Bucket& b) { return b.first_layer <= layer; });
}

/// Its memory may still be on its way for the bucket that had it before.
void GradientSum::open(Bucket& bucket) {
  if (bucket.open) return;
  bucket.open = true;
  for (auto& other : buckets_)
    if (other.values == bucket.values) collect(other);
  if (!starts_anew()) return;
  ops_->zero(exec_, bucket.values, 4 * bucket.range.size());
  if (bucket.fixed != nullptr && options_.zero_stage >= 2)
    ops_->zero(exec_, bucket.fixed, 8 * bucket.range.size());
}

EdgeGrads GradientSum::edges() {
  Bucket& first = buckets_.front();
  Bucket& last = buckets_.back();
  open(first);
  open(last);
  const auto after = [&](std::int64_t offset) {
    return first.values + (offset - first.range.begin);
  };
  float* const embed = last.values + embed_;
  return {embed, after(final_norm_), head_ == embed_ ? embed : after(head_)};
}

BlockGrads GradientSum::block(Index layer) {
  Bucket& bucket = bucket_of(layer);
  open(bucket);
  const auto& at = blocks_[static_cast<std::size_t>(layer)];
  const auto place = [&](std::int64_t offset) {
    return bucket.values + (offset - bucket.range.begin);
  };
  BlockGrads grads{place(at.input_norm), place(at.qkv),     place(at.o),
                   place(at.post_norm),  place(at.gate_up), place(at.down)};
  if (at.qkv_bias > 0) grads.qkv_bias = place(at.qkv_bias);
  if (at.qk_norm > 0) grads.qk_norm = place(at.qk_norm);
  return grads;
}

void GradientSum::ready(Index layer) {
  Bucket& bucket = bucket_of(layer);
  // the embedding's gradient is the last of the pass
  if (layer == bucket.first_layer && &bucket != &buckets_.back()) close(bucket);
}

void GradientSum::close(Bucket& bucket) {
  bucket.open = false;
  const auto n = bucket.range.size();
  if (examining_)
    sound_ = std::isfinite(sum_squares(*ops_, exec_, bucket.values, n)) && sound_;
  else if (options_.strict)
    sound_ = ops_->add_fixed(exec_, bucket.fixed, bucket.values, n) &&
             (!sends() || leave_room(*ops_, bucket.fixed, n, comm_->size())) && sound_;
  if (sends()) send(bucket);
}

void GradientSum::send(Bucket& bucket) {
  constexpr auto kName = "reduce_gradients";
  for (auto& other : buckets_)
    if (bucket.room != nullptr && other.room == bucket.room) collect(other);
  bucket.sent = true;
  bucket.round = round_;
  const Side side = side_of(*ops_);
  bucket.transfer =
      options_.strict
          ? comm_->reduce_to_owners(bucket.fixed, bucket.owners,
                                    reinterpret_cast<std::int64_t*>(bucket.room), kName, side)
          : comm_->reduce_to_owners(bucket.values, bucket.owners, bucket.room, kName, side);
}

/// Waits for what was sent; in stage 2 the own part goes where it is kept.
void GradientSum::collect(Bucket& bucket) {
  if (!bucket.sent) return;
  comm_->wait(std::move(bucket.transfer), exec_);  // where it fails, its memory is still in use
  bucket.sent = false;
  if (options_.zero_stage >= 2) add_own(bucket);
}

void GradientSum::add_own(const Bucket& bucket) {
  const Slice own = common_part(own_, bucket.range);
  const auto from = own.begin - bucket.range.begin;
  const auto to = own.begin - own_.begin;
  if (options_.strict)
    sum_sound_ = add_to(*ops_, exec_, bucket.fixed + from, own.size(), fixed_of(own_fixed_) + to) &&
                 sum_sound_;
  else if (rounds())
    ops_->add_stochastic(
        exec_, {bucket.values + from,
                own.size(),
                sixteen_of(own_values_) + to,
                {options_.seed, Purpose::Round, options_.stage, static_cast<std::uint64_t>(update_),
                 static_cast<std::uint64_t>(bucket.round)},
                own.begin});
  else
    add_to(*ops_, exec_, bucket.values + from, own.size(), own_values_.data() + to);
}

bool GradientSum::end_batch() {
  close(buckets_.back());
  if (!examining_) --rounds_left_, ++round_;
  return std::exchange(sound_, true);
}

bool GradientSum::finish() {
  if (options_.zero_stage == 1) rounds_left_ = std::min<std::int64_t>(rounds_left_, 1);
  for (; rounds_left_ > 0; --rounds_left_, ++round_) {
    // as a pass begins: what is still on its way is waited for in the same order on all ranks
    (void)edges();
    for (auto& bucket : buckets_) {
      open(bucket);
      close(bucket);
    }
  }
  for (auto& bucket : buckets_)
    collect(bucket);
  if (options_.strict) {
    const bool whole = options_.zero_stage == 1;
    const auto* sums = whole ? fixed_of(fixed_) + own_.begin : fixed_of(own_fixed_);
    float* const to = whole ? values_.data() + own_.begin : own_values_.data();
    ops_->from_fixed(exec_, sums, to, own_.size());
  }
  return sum_sound_;
}

const float* GradientSum::own() const {
  check(!rounds(), "sums in bf16 are read in parts");
  return options_.zero_stage == 1 ? values_.data() + own_.begin : own_values_.data();
}

/// Sums in bf16 are widened where the micro-batches' values were.
void GradientSum::each_part(const Body& body) {
  if (!rounds()) return body(own_, own());
  const std::int64_t most = values_.bytes() / 4 / kShardUnit * kShardUnit;
  for (std::int64_t begin = own_.begin; begin < own_.end; begin += most) {
    const Slice part{begin, std::min(own_.end, begin + most)};
    ops_->widen(exec_, sixteen_of(own_values_) + (begin - own_.begin), FloatType::BF16, part.size(),
                values_.data());
    body(part, values_.data());
  }
}

}  // namespace aha

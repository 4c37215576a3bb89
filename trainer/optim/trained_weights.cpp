#include "trainer/optim/trained_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/optim/network_memory.h"

namespace aha {
namespace {

/// Elements that go to rank 0 at a time.
constexpr std::int64_t kPiece = std::int64_t{1} << 22;

/// Where ranks that sample say whether any of them makes another pass.
constexpr auto kNextPass = "next_pass";

}  // namespace

TrainedWeights::TrainedWeights(const ModelConfig& config, const ParameterLayout& layout,
                               const Ops& ops, const Exec& exec, Tensor own, const Options& options,
                               Communicator* comm)
    : config_(config),
      layout_(layout),
      ops_(&ops),
      exec_(exec),
      options_(options),
      comm_(comm),
      shards_(shards_of(layout.total, ranks())),
      own_(shards_[static_cast<std::size_t>(comm == nullptr ? 0 : comm->rank())]) {
  check(own.numel() == own_.size(), "a rank brings its own values");
  if (ranks() == 1) {
    options_.by_block = false;
    whole_.emplace(config, layout, ops, std::move(own), options.storage);
    return;
  }
  if (options.by_block)
    blocks_ = std::make_unique<GatheredBlocks>(config, layout, ops, *comm, options.storage);
  else
    whole_.emplace(config, layout, ops, Tensor(), options.storage);
  divided_ = options.by_block || options.storage != FloatType::F32;
  if (divided_ && ops.memory->host) {
    own_values_ = std::move(own);
    return;
  }
  if (divided_) device_own_.reserve(own_.size(), *ops.memory);
  assign(own);
}

TrainedWeights::TrainedWeights(ResidentWeights weights, const Exec& exec)
    : exec_(exec), whole_(std::move(weights)) {
  options_.storage = whole_->storage();
}

std::int64_t TrainedWeights::bytes_for(const ParameterLayout& layout, const Options& options,
                                       int ranks) {
  const std::int64_t whole = ResidentWeights::bytes_for(layout, options.storage);
  const std::int64_t own = (layout.total + ranks - 1) / ranks;
  const bool rounded = options.storage != FloatType::F32;
  if (ranks == 1) return whole;
  if (!options.by_block) return rounded ? whole - 4 * layout.total + 4 * own : whole;
  return (rounded ? 6 : 4) * own + (rounded ? 2 : 4) * GatheredBlocks::elements_for(layout);
}

std::int64_t TrainedWeights::rollout_bytes_for(const ParameterLayout& layout,
                                               const Options& options, int ranks) {
  if (ranks == 1 || !options.by_block || !options.whole_in_rollout) return 0;
  const bool rounded = options.storage != FloatType::F32;
  return ResidentWeights::bytes_for(layout, options.storage) - (rounded ? 4 * layout.total : 0);
}

TrainedWeights::~TrainedWeights() {
  if (travels_) give_to_the_network(std::make_shared<ResidentWeights>(std::move(*whole_)));
}

float* TrainedWeights::data() {
  if (!divided_) return whole_->data() + own_.begin;
  return ops_->memory->host ? own_values_.data_ptr<float>() : device_own_.data();
}

std::uint16_t* TrainedWeights::own_rounded() {
  if (options_.storage == FloatType::F32) return nullptr;
  if (!options_.by_block) return whole_->rounded() + own_.begin;
  return reinterpret_cast<std::uint16_t*>(
      own_rounded_.reserve((own_.size() + 1) / 2, *ops_->memory));
}

Tensor TrainedWeights::values() {
  if (ops_ != nullptr && !ops_->memory->host) {
    Tensor copy = at::empty({own_.size()}, at::kFloat);
    ops_->memory->download(data(), 4 * own_.size(), copy.data_ptr<float>());
    return copy;
  }
  if (divided_) return own_values_;
  const Tensor all = whole_->values();
  return all.defined() ? all.slice(0, own_.begin, own_.end) : all;
}

void TrainedWeights::assign(const Tensor& own) {
  check(own.numel() == own_.size(), "assigned weights are the own slice");
  settle();
  ops_->memory->upload(own.const_data_ptr<float>(), 4 * own_.size(), data());
}

/// Rounds the own values; the parameter is named whose value is too large.
void TrainedWeights::round_own(std::uint16_t* to) {
  const float* const from = data();
  if (ops_->narrow(exec_, from, own_.size(), options_.storage, to)) return;
  const Tensor here = values();
  for (const auto& p : layout_.parameters) {
    const Slice part = common_part(own_, {p.offset, p.offset + p.size});
    const auto at = part.begin - own_.begin;
    if (!ops_->narrow(exec_, from + at, part.size(), options_.storage, to + at))
      too_large_for(options_.storage, p,
                    {here.const_data_ptr<float>() + at, static_cast<std::size_t>(part.size())});
  }
}

/// Brings the slices of all ranks into whole_.
void TrainedWeights::share_whole(bool rounded) {
  constexpr auto kName = "share_weights";
  travels_ = true;
  if (options_.storage != FloatType::F32) {
    if (!rounded) round_own(whole_->rounded() + own_.begin);
    transfer_ = comm_->share_from_owners(whole_->rounded(), shards_, kName, side_of(*ops_));
    return;
  }
  if (divided_) ops_->copy(exec_, data(), 4 * own_.size(), whole_->data() + own_.begin);
  transfer_ = comm_->share_from_owners(whole_->data(), shards_, kName, side_of(*ops_));
}

void TrainedWeights::publish(bool rounded) {
  settle();
  if (ranks() == 1) return whole_->publish(exec_, rounded);
  if (!options_.by_block) return share_whole(rounded);
  if (options_.storage == FloatType::F32) return blocks_->publish(data());
  if (!rounded) round_own(own_rounded());
  blocks_->publish(own_rounded());
}

void TrainedWeights::settle() {
  if (!travels_) return;
  comm_->wait(std::move(transfer_), exec_);  // where it fails, they still travel
  travels_ = false;
  whole_->complete(exec_);
}

Tensor TrainedWeights::whole() {
  settle();
  if (!divided_) return ranks() == 1 || comm_->leads() ? whole_->values() : Tensor();
  const std::int64_t total = layout_.total;
  Tensor all = comm_->leads() ? at::empty({total}, at::kFloat) : Tensor();
  const auto piece = std::make_shared<Buffer>();
  for (std::int64_t begin = 0; begin < total; begin += kPiece) {
    const Slice range{begin, std::min(total, begin + kPiece)};
    const Slice own = common_part(own_, range);
    float* const values = piece->reserve(kPiece);
    ops_->memory->download(data() + (own.begin - own_.begin), 4 * own.size(),
                           values + (own.begin - begin));
    try {
      comm_->wait(comm_->share_from_owners(values, parts_in(shards_, range), "gather_values"));
    } catch (...) {
      give_to_the_network(piece);
      throw;
    }
    if (all.defined()) std::copy_n(values, range.size(), all.data_ptr<float>() + begin);
  }
  return all;
}

void TrainedWeights::begin_rollout() {
  settle();
  if (!options_.by_block) return;
  sampling_ = !options_.whole_in_rollout;
  if (sampling_) return;
  whole_.emplace(config_, layout_, *ops_, Tensor(), options_.storage);
  if (auto* const own = own_rounded(); own != nullptr)  // as `publish` left them
    ops_->copy(exec_, own, 2 * own_.size(), whole_->rounded() + own_.begin);
  share_whole(true);
  settle();
}

void TrainedWeights::end_rollout() {
  if (!options_.by_block) return;
  whole_.reset();
  while (sampling_ && comm_->any(false, kNextPass))
    pass_blocks();
  sampling_ = false;
}

void TrainedWeights::pass_by() {
  if (!whole_) pass_blocks();
}

void TrainedWeights::pass_blocks() {
  for (Index l = 0; l < config_.num_hidden_layers; ++l) {
    blocks_->gather(l);
    blocks_->release(l);
  }
}

EdgeWeights TrainedWeights::edges() {
  check(!travels_, "weights have come before they are used");
  return whole_ ? whole_->edges() : blocks_->edges();
}

BlockWeights TrainedWeights::gather(Index layer) {
  if (whole_) return whole_->gather(layer);
  if (sampling_ && blocks_->between_passes()) comm_->any(true, kNextPass);
  return blocks_->gather(layer);
}

void TrainedWeights::release(Index layer) {
  if (!whole_) blocks_->release(layer);
}

}  // namespace aha

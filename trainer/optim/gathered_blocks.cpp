#include "trainer/optim/gathered_blocks.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/resident_weights.h"
#include "trainer/optim/network_memory.h"

namespace aha {
namespace {

constexpr auto kName = "gather_weights";

}  // namespace

GatheredBlocks::GatheredBlocks(const ModelConfig& config, const ParameterLayout& layout,
                               const Ops& ops, Communicator& comm, FloatType storage)
    : config_(config),
      ops_(&ops),
      comm_(&comm),
      storage_(storage),
      offsets_(layout.blocks),
      head_(layout.head),
      shards_(shards_of(layout.total, comm.size())),
      places_(2) {
  own_ = shards_[static_cast<std::size_t>(comm.rank())];
  for (std::size_t l = 0; l < offsets_.size(); ++l) {
    const auto end = l + 1 < offsets_.size() ? offsets_[l + 1].input_norm : layout.final_norm;
    blocks_.push_back(part(layout, {offsets_[l].input_norm, end}));
  }
  before_ = part(layout, {0, offsets_.front().input_norm});
  after_ = part(layout, {layout.final_norm, layout.total});
}

std::int64_t GatheredBlocks::elements_for(const ParameterLayout& layout) {
  const auto first = layout.blocks.front().input_norm;
  const auto blocks = static_cast<std::int64_t>(layout.blocks.size());
  const auto all = layout.final_norm - first;
  return layout.total - all + std::min<std::int64_t>(2, blocks) * (all / blocks);
}

GatheredBlocks::~GatheredBlocks() {
  for (Place* place : {&embedding_, &tail_, &places_[0], &places_[1]})
    if (place->travels) give_to_the_network(std::make_shared<Buffer>(std::move(place->values)));
}

GatheredBlocks::Part GatheredBlocks::part(const ParameterLayout& layout, Slice range) const {
  Part part{range, parts_in(shards_, range), {}};
  for (const auto& p : layout.parameters) {
    if (p.shape.size() != 1 || p.offset < range.begin || p.offset >= range.end) continue;
    part.vectors.push_back({p.offset, p.offset + p.size});
    part.vector_size += p.size;
  }
  return part;
}

void GatheredBlocks::begin(const Part& part, Place& place) {
  auto* const to = reinterpret_cast<char*>(
      place.values.reserve((part.range.size() * element_bytes() + 3) / 4, *ops_->memory));
  const Slice own = common_part(own_, part.range);
  ops_->copy({}, own_values_ + (own.begin - own_.begin) * element_bytes(),
             own.size() * element_bytes(), to + (own.begin - part.range.begin) * element_bytes());
  place.part = &part;
  place.travels = true;
  place.transfer =
      storage_ == FloatType::F32
          ? comm_->share_from_owners(place.values.data(), part.owners, kName, side_of(*ops_))
          : comm_->share_from_owners(reinterpret_cast<std::uint16_t*>(to), part.owners, kName,
                                     side_of(*ops_));
}

void GatheredBlocks::finish(Place& place) {
  comm_->wait(std::move(place.transfer));
  place.travels = false;
  if (storage_ == FloatType::F32) return;
  float* to = place.vectors.reserve(place.part->vector_size, *ops_->memory);
  for (const auto& v : place.part->vectors) {
    ops_->widen({}, matrix(place, v.begin).rows, storage_, v.size(), to);
    to += v.size();
  }
}

Weight GatheredBlocks::matrix(const Place& place, std::int64_t offset) const {
  const auto* const values = reinterpret_cast<const char*>(place.values.data());
  return {values + (offset - place.part->range.begin) * element_bytes(), nullptr, storage_};
}

const float* GatheredBlocks::vector(const Place& place, std::int64_t offset) const {
  if (storage_ == FloatType::F32) return place.values.data() + (offset - place.part->range.begin);
  const float* at = place.vectors.data();
  for (const auto& v : place.part->vectors) {
    if (v.begin == offset) return at;
    at += v.size();
  }
  throw InternalError("a norm or a bias is a vector of its part");
}

void GatheredBlocks::publish(const void* own) {
  check(between_passes(), "weights are published between passes");
  own_values_ = static_cast<const char*>(own);
  begin(before_, embedding_);
  begin(after_, tail_);
  finish(embedding_);
  finish(tail_);
  const bool tied = head_ == before_.range.begin;
  edges_ = {matrix(embedding_, before_.range.begin), vector(tail_, after_.range.begin),
            tied ? matrix(embedding_, head_) : matrix(tail_, head_)};
}

BlockWeights GatheredBlocks::gather(Index layer) {
  const auto last = static_cast<Index>(blocks_.size()) - 1;
  if (between_passes()) {
    check(layer == 0 || layer == last, "a pass begins at one of the ends");
    direction_ = layer == 0 ? 1 : -1;
    begin(blocks_[static_cast<std::size_t>(layer)], place_of(layer));
  }
  Place& place = place_of(layer);
  check(place.part == &blocks_[static_cast<std::size_t>(layer)], "a pass goes block by block");
  finish(place);
  const Index next = layer + direction_;
  if (next >= 0 && next <= last) begin(blocks_[static_cast<std::size_t>(next)], place_of(next));
  return block_weights(
      config_, offsets_[static_cast<std::size_t>(layer)],
      [&](std::int64_t offset, Index, Index) { return matrix(place, offset); },
      [&](std::int64_t offset) { return vector(place, offset); });
}

void GatheredBlocks::release(Index layer) {
  const Index next = layer + direction_;
  if (next < 0 || next >= static_cast<Index>(blocks_.size())) direction_ = 0;
}

}  // namespace aha

// Decode steps whose rows feed themselves: see device_ops.h.
#include "trainer/kernels/cuda/draw.h"

namespace aha::cuda {
namespace {

/// A block is one start.
__global__ void start_blocks(StartSlots p) {
  const SlotStart start = p.starts[block_x()];
  if (thread() == 0) p.slots[start.slot] = start.state;
  for (Index i = thread(); i < p.table_width; i += threads())
    p.slot_tables[start.slot * p.table_width + i] = p.tables[block_x() * p.table_width + i];
}

AHA_DEVICE bool is_idle(const DecodeSlot* slots, std::int32_t slot) {
  return slot < 0 || slots[slot].finished != 0;
}

__global__ void load_row_elements(LoadRows p) {
  const Index row = element();
  if (row >= p.M) return;
  const std::int32_t slot = p.order[row];
  const bool idle = is_idle(p.slots, slot);
  p.ids[row] = idle ? 0 : p.slots[slot].id;
  p.positions[row] = idle ? 0 : p.slots[slot].position;
  p.tables[row] =
      idle ? p.settings->idle_table : p.settings->tables + slot * p.settings->table_width;
}

AHA_DEVICE double uniform_of(const DecodeSettings& settings, const DecodeSlot& slot) {
  RandomKey key = settings.key;
  key.ordinal = slot.ordinal;
  key.sample = slot.sample;
  key.position = static_cast<std::uint64_t>(slot.length);
  return open_unit(philox_words(key)[0]);
}

AHA_DEVICE bool is_stop(const DecodeSettings& settings, Index id) {
  for (std::int32_t i = 0; i < settings.num_stop_ids; ++i)
    if (settings.stop_ids[i] == id) return true;
  return false;
}

/// A block is one row.
__global__ void AHA_BLOCKS(2 * kRowThreads, 1)
    sample_slot_rows(const float* logits, SampleSlots p) {
  const Index row = block_x();
  const std::int32_t number = p.order[row];
  if (is_idle(p.slots, number)) {
    if (thread() == 0) p.drawn[row] = {-1, 0, 0};
    return;
  }
  const DecodeSettings& how = *p.settings;
  DecodeSlot& slot = p.slots[number];
  const Draw draw = drawn(logits + row * logits_width(p.V), p.V, how.inv_temperature,
                          {how.top_k, how.top_p, how.min_p}, how.greedy != 0,
                          how.greedy != 0 ? 0.0 : uniform_of(how, slot));
  __syncthreads();  // all have read the slot
  if (thread() != 0) return;
  p.drawn[row] = {draw.id, draw.logprob, draw.entropy};
  slot.id = draw.id;
  ++slot.position;
  ++slot.length;
  if (is_stop(how, draw.id) || slot.length >= slot.limit) slot.finished = 1;
}

}  // namespace

void start_slots(const StartSlots& p) {
  launch({p.n, 1, 128}, start_blocks, p);
}

void load_rows(const LoadRows& p) {
  launch(over(p.M, 128), load_row_elements, p);
}

void sample_slots(const SampleSlots& p) {
  with_logits(p, [](SampleSlots& chunk, Index first, const float* z) {
    chunk.order += first;
    chunk.drawn += first;
    launch({chunk.M, 1, draw_threads(chunk.M), draw_bytes(chunk.V)}, sample_slot_rows, z, chunk);
  });
}

}  // namespace aha::cuda

#pragma once
// What the table of a device has beside the operations that every table has: ways to keep the device busy
// without waiting for it, and decode steps whose rows feed themselves.
//
// A row's completion lives in a slot, in the device's memory: its last token, where that stands, its random key
// and whether it is finished. A step reads the slots (load_rows), runs the decoder on their last tokens and
// draws the next ones (sample_slots), which advances the slots. The host learns of it later.
#include "trainer/core/device_network.h"
#include "trainer/core/philox.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// Rows of logits, `width` floats apart, that a device's table holds at a time: at most 2 GiB. In training all of the
/// head's gradient is read and written once for each.
constexpr Index rows_of_logits(Index width) {
  const Index rows = (Index{1} << 29) / width;
  return rows < 64 ? 64 : rows > 8192 ? 8192 : rows;
}

/// Neighbouring logits whose exponentials are taken around their own largest, before they are brought to the row's.
constexpr Index kLogitBlock = 256;

/// Rows of V logits of which the head's forward pass may keep the exponentials, in 6 GiB; none with weights of f32.
constexpr Index most_kept_rows(Index V, FloatType weights) {
  return weights == FloatType::F32 ? 0 : (Index{6} << 30) / (2 * round_up(V, 8));
}

/// Floats of what it keeps of M rows: exp(s - top) of each logit, rounded to the weights' type [M, round_up(V, 8)], and what
/// makes probabilities of those of a block [M, ceil(V / kLogitBlock)]. 0: the rows are too many, and logits are computed again.
/// For a multiple of 256 rows: micro-batches of about one size are to need one size of memory.
constexpr Index head_kept_floats(Index M, Index V, FloatType weights) {
  if (M > most_kept_rows(V, weights)) return 0;
  return round_up(M, 256) * (round_up(V, 8) / 2 + (V + kLogitBlock - 1) / kLogitBlock);
}

/// Floats of the sums that the backward pass of attention holds at a time: 256 MB.
constexpr Index kMostPartialSums = Index{1} << 26;

/// What was drawn for one row.
struct DrawnToken {
  std::int64_t id;  ///< below 0: nothing, the row was finished or stands for none
  float logprob;    ///< of the untruncated distribution at the sampling temperature
  float entropy;    ///< nats
};

/// A completion on a device.
struct DecodeSlot {
  std::int64_t id;        ///< the last token, which the next step runs
  std::int32_t position;  ///< of `id` in the sequence
  std::int32_t length;    ///< tokens drawn
  std::int32_t limit;     ///< the length that ends it
  std::int32_t finished;  ///< not 0: it takes no part
  std::uint64_t ordinal;  ///< of its random key, and so is `sample`
  std::uint64_t sample;
};

/// How a rollout draws: in the device's memory, so that recorded steps serve every rollout.
struct DecodeSettings {
  RandomKey key;  ///< without ordinal, sample and position
  std::int64_t greedy;
  float inv_temperature;
  float top_p;
  float min_p;
  std::int32_t num_stop_ids;
  Index top_k;
  const std::int64_t* stop_ids;
  const std::int32_t* tables;      ///< [slots, table_width] block tables
  const std::int32_t* idle_table;  ///< [1] a block that no sequence has
  Index table_width;
};

/// A slot that a completion takes.
struct SlotStart {
  std::int64_t slot;
  DecodeSlot state;
};

/// slots[start.slot] = start.state, and its block table with it.
struct StartSlots {
  const SlotStart* starts;     ///< [n]
  const std::int32_t* tables;  ///< [n, table_width]
  Index n, table_width;
  DecodeSlot* slots;
  std::int32_t* slot_tables;  ///< [slots, table_width]
};

/// The rows of a step: ids, positions and tables of what the slots run next. A row that stands for nothing or
/// is finished runs id 0 at position 0 of the idle block, and touches nothing else.
struct LoadRows {
  const DecodeSettings* settings;
  const DecodeSlot* slots;
  const std::int32_t* order;  ///< [M] slots; below 0: none
  Index M;
  std::int64_t* ids;            ///< [M]
  std::int32_t* positions;      ///< [M]
  const std::int32_t** tables;  ///< [M]
};

/// Draws a token for each row that is not idle, as HeadSample does with the uniform of the row's random key, and
/// advances its slot: finished with a stop id or at the limit.
struct SampleSlots {
  const float* h;  ///< [M, C]
  Weight w;        ///< [V or more, C]
  Index M, C, V;
  const DecodeSettings* settings;
  const std::int32_t* order;  ///< [M]
  DecodeSlot* slots;
  DrawnToken* drawn;  ///< [M]
};

/// A device and its memory.
struct DeviceState {
  const char* name;   ///< "NVIDIA H100 80GB HBM3"
  std::int64_t free;  ///< bytes, now
  std::int64_t total;
  /// What was not free when this program came, its own context included: more than that is others'.
  std::int64_t held_before;
  const char* address = "";  ///< where it is plugged in: what no other device of the machine has
};

/// Calls that were recorded, to be asked for as one.
struct Recording;

/// Calls return before what they ask for is done; `wait`, `release_pinned`, `forget` and `seconds_between` wait.
struct DeviceOps {
  /// Memory of the host that a device writes to while others work.
  void* (*allocate_pinned)(std::int64_t bytes);
  void (*release_pinned)(void* memory);
  /// `to` is pinned, and written once a later mark is waited for.
  void (*download_later)(const void* from, std::int64_t bytes, void* to);
  /// A place in the order of calls; to wait for it is to wait for all that was asked before.
  std::int64_t (*mark)();
  void (*wait)(std::int64_t mark);

  /// Operations that are called between begin and end are not done but recorded. They may not allocate, transfer
  /// or wait, so the same calls are made once before, after `prepare_recording`, which takes what scratch memory
  /// they need: of their own, as it has to stay where it is while other calls' grows. So has what they work on.
  /// OutOfMemory when the recording itself finds none.
  void (*prepare_recording)();
  void (*begin_recording)();
  Recording* (*end_recording)();
  /// Ends what was prepared or begun, where a call has thrown.
  void (*drop_recording)();
  void (*launch)(const Recording* recording);
  void (*forget)(Recording* recording);

  /// From here on no row's result depends on which other rows are computed with it, as everywhere on a CPU. Recorded
  /// calls stay as they are.
  void (*set_invariant)(bool on);

  /// Sums as integers, as add_fixed makes them: to += from, false when a sum overflows; and whether all of x [n] lie
  /// within +-limit.
  bool (*sum_fixed)(const std::int64_t* from, Index n, std::int64_t* to);
  bool (*fixed_within)(const std::int64_t* x, Index n, std::int64_t limit);

  void (*start_slots)(const StartSlots&);
  void (*load_rows)(const LoadRows&);
  void (*sample_slots)(const SampleSlots&);

  DeviceState (*state)();
  /// A moment in the order of calls, of which there may be any number, and the device's seconds from one to another.
  /// Waits for the later one.
  std::int64_t (*moment)();
  double (*seconds_between)(std::int64_t begin, std::int64_t end);
  /// The moments there were are nobody's any more.
  void (*forget_moments)();

  const DeviceNetwork* network;
};

}  // namespace aha

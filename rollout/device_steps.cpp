#include "rollout/device_steps.h"

#include <algorithm>

#include "trainer/kernels/out_of_memory.h"

namespace aha {
namespace {

constexpr Index kTokensOfALaunch = DeviceSteps::kSteps * kMostRows;

}  // namespace

std::vector<Sequence*> longest_first(std::span<Sequence* const> sequences) {
  std::vector<Sequence*> rows(sequences.begin(), sequences.end());
  std::stable_sort(rows.begin(), rows.end(), [](const Sequence* a, const Sequence* b) {
    return a->position + a->asked > b->position + b->asked;
  });
  return rows;
}

DeviceSteps::DeviceSteps(const Decoder& decoder, ParameterProvider& weights,
                         std::int64_t vocabulary, KvCache& cache)
    : decoder_(&decoder),
      device_(decoder.ops().device),
      weights_(&weights),
      vocabulary_(vocabulary),
      cache_(&cache),
      settings_(room<DecodeSettings>(1)),
      slots_(room<DecodeSlot>(kMostRows)),
      order_(room<std::int32_t>(kMostRows)),
      ids_(room<std::int64_t>(kMostRows)),
      positions_(room<std::int32_t>(kMostRows)),
      tables_(room<const std::int32_t*>(kMostRows)),
      drawn_(room<DrawnToken>(kTokensOfALaunch)),
      idle_table_(room<std::int32_t>(1)),
      steps_(*device_, [this](Index rows) { step(rows); }),
      arrivals_(device_->allocate_pinned(kArrivals * kTokensOfALaunch *
                                         static_cast<std::int64_t>(sizeof(DrawnToken))),
                device_->release_pinned) {}

template <class T>
T* DeviceSteps::room(Index count) {
  const auto floats = static_cast<Index>(sizeof(T)) * count / 4;
  return reinterpret_cast<T*>(fixed_.emplace_back().reserve(floats, memory()));
}

/// Steps are recorded anew each time.
void DeviceSteps::reserve(Index num_blocks) {
  if (num_blocks <= cache_->num_blocks()) return;
  steps_.forget();
  cache_->reserve(num_blocks, memory(), weights_->edges().embed.type);
}

/// What is recorded reads them where they were: weights that ranks divide are brought together for each rollout, in memory of its
/// own.
void DeviceSteps::notice_moved_weights() {
  const EdgeWeights now = weights_->edges();
  if (now.embed.rows != recorded_.embed.rows || now.final_norm != recorded_.final_norm)
    steps_.forget();
  recorded_ = now;
}

void DeviceSteps::send_settings(const Scheduler& scheduler, const SamplingParams& params) {
  key_ = {params.seed, params.purpose, params.stage};
  table_width_ = scheduler.table_entries();
  const auto stops = static_cast<Index>(params.stop_ids.size());
  auto* stop_ids = reinterpret_cast<std::int64_t*>(stop_ids_.reserve(2 * (stops + 1), memory()));
  memory().upload(params.stop_ids.data(), 8 * stops, stop_ids);
  const auto idle_block = static_cast<std::int32_t>(scheduler.num_blocks());
  memory().upload(&idle_block, sizeof idle_block, idle_table_);
  const bool greedy = params.temperature == 0.0;
  const DecodeSettings settings{
      .key = key_,
      .greedy = greedy ? 1 : 0,
      .inv_temperature = greedy ? 1.0F : static_cast<float>(1.0 / params.temperature),
      .top_p = static_cast<float>(params.top_p),
      .min_p = static_cast<float>(params.min_p),
      .num_stop_ids = static_cast<std::int32_t>(stops),
      .top_k = params.top_k,
      .stop_ids = stop_ids,
      .tables =
          reinterpret_cast<std::int32_t*>(slot_tables_.reserve(kMostRows * table_width_, memory())),
      .idle_table = idle_table_,
      .table_width = table_width_};
  memory().upload(&settings, sizeof settings, settings_);
}

void DeviceSteps::expect(const Scheduler& scheduler) {
  constexpr Index kStart = sizeof(SlotStart);
  const Index rows = std::max<Index>(expected_rows_, scheduler.max_batch());
  const Index width = scheduler.table_entries();
  reserve(scheduler.num_blocks() + 1);
  slot_tables_.reserve(kMostRows * width, memory());
  starts_.expect(rows * (kStart + static_cast<Index>(sizeof(std::int32_t)) * width), 2, memory());
  expected_rows_ = rows;
}

void DeviceSteps::begin(const Scheduler& scheduler, const SamplingParams& params) try {
  notice_moved_weights();
  reserve(scheduler.num_blocks() + 1);  // the last is idle rows'
  send_settings(scheduler, params);
  record(bucket_of(std::max<Index>(expected_rows_, scheduler.max_batch())));
} catch (const OutOfMemory&) {
  const bool expected_more = expected_rows_ > scheduler.max_batch();
  give_back();
  if (!expected_more) throw;
  begin(scheduler, params);
}

void DeviceSteps::give_back() {
  expected_rows_ = 0;
  steps_.forget();
  scratch_ = {};
  *cache_ = KvCache(decoder_->config());
}

void DeviceSteps::record(Index bucket) {
  if (steps_.has(bucket)) return;
  send_order({}, bucket);
  steps_.record(bucket);
}

void DeviceSteps::send_order(std::span<Sequence* const> sequences, Index rows) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(rows), -1);
  std::transform(sequences.begin(), sequences.end(), order.begin(),
                 [](const Sequence* s) { return s->slot; });
  memory().upload(order.data(), 4 * rows, order_);
}

void DeviceSteps::start(std::span<Sequence* const> sequences) {
  const auto n = static_cast<Index>(sequences.size());
  std::vector<SlotStart> starts;
  std::vector<std::int32_t> tables(static_cast<std::size_t>(n * table_width_), 0);
  auto table = tables.begin();
  for (const auto* s : sequences) {
    const auto sample = static_cast<std::uint64_t>(s->sample);
    check_widths({key_.seed, key_.purpose, key_.stage, s->ordinal, sample,
                  static_cast<std::uint64_t>(s->max_length)});
    starts.push_back({s->slot,
                      {.id = 0,
                       .position = s->position - 1,
                       .length = 0,
                       .limit = static_cast<std::int32_t>(s->max_length),
                       .finished = 0,
                       .ordinal = s->ordinal,
                       .sample = sample}});
    std::copy(s->table.begin(), s->table.end(), table);
    table += table_width_;
  }
  StartSlots task{nullptr,      nullptr, n,
                  table_width_, slots_,  reinterpret_cast<std::int32_t*>(slot_tables_.data())};
  starts_.add(std::span<const SlotStart>(starts), task.starts);
  starts_.add(std::span<const std::int32_t>(tables), task.tables);
  starts_.send(memory());
  device_->start_slots(task);
}

void DeviceSteps::sample(const float* hidden, Index rows, DrawnToken* drawn) const {
  device_->sample_slots({hidden, weights_->edges().head, rows, decoder_->config().hidden_size,
                         vocabulary_, settings_, order_, slots_, drawn});
}

void DeviceSteps::step(Index rows) {
  const auto count = static_cast<std::size_t>(rows);
  for (std::int64_t k = 0; k < kSteps; ++k) {
    device_->load_rows({settings_, slots_, order_, rows, ids_, positions_, tables_});
    RowBatch batch{{ids_, count}, {positions_, count}, {tables_, count}, {}, {}};
    batch.alone = true;
    const float* hidden = decoder_->forward_staged({}, *weights_, batch, *cache_, scratch_);
    sample(hidden, rows, drawn_ + k * rows);
  }
}

Drawing DeviceSteps::bring(std::span<Sequence* const> sequences, std::int64_t steps, Index rows) {
  auto* to = static_cast<DrawnToken*>(arrivals_.get()) + arrival_ * kTokensOfALaunch;
  arrival_ = (arrival_ + 1) % kArrivals;
  device_->download_later(drawn_, steps * rows * static_cast<std::int64_t>(sizeof(DrawnToken)), to);
  return {{sequences.begin(), sequences.end()}, steps, {}, to, rows, device_->mark()};
}

Drawing DeviceSteps::first_tokens(std::span<Sequence* const> sequences, const float* hidden) {
  const auto rows = static_cast<Index>(sequences.size());
  start(sequences);
  send_order(sequences, rows);
  sample(hidden, rows, drawn_);
  return bring(sequences, 1, rows);
}

Drawing DeviceSteps::next_tokens(std::span<Sequence* const> running) {
  const std::vector<Sequence*> sequences = longest_first(running);
  const Index bucket = bucket_of(static_cast<Index>(sequences.size()));
  record(bucket);
  send_order(sequences, bucket);
  steps_.launch(bucket);
  return bring(sequences, kSteps, bucket);
}

void DeviceSteps::receive(Drawing& drawing) const {
  device_->wait(drawing.mark);
  for (std::int64_t k = 0; k < drawing.steps; ++k) {
    const DrawnToken* row = drawing.arriving + k * drawing.stride;
    drawing.tokens.insert(drawing.tokens.end(), row, row + drawing.sequences.size());
  }
}

}  // namespace aha

// Slots that feed themselves, and recorded calls.
#include "trainer/kernels/device_ops.h"

#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/out_of_memory.h"

using namespace aha_test;
using aha::cpu_ops;

namespace {

constexpr Index kC = 24;
constexpr Index kWidth = 5;
constexpr Index kSlots = 9;

/// A batch of slots on a device, whose hidden rows a test gives.
class Slots {
 public:
  Slots(const aha::Ops& ops, const aha::DecodeSettings& how, const Ints& stop_ids)
      : d_(ops), device_(*ops.device), how_(how) {
    slots_ = d_.put(std::vector<aha::DecodeSlot>(at(kSlots), aha::DecodeSlot{}));
    tables_ = d_.put(std::vector<std::int32_t>(at(kSlots * kWidth), -1));
    how_.stop_ids = d_.put(stop_ids);
    how_.num_stop_ids = static_cast<std::int32_t>(stop_ids.size());
    how_.tables = tables_;
    how_.table_width = kWidth;
    how_.idle_table = d_.put(std::vector<std::int32_t>{77});
    settings_ = d_.put(std::vector<aha::DecodeSettings>{how_});
  }

  void start(const std::vector<aha::SlotStart>& starts) {
    std::vector<std::int32_t> tables;
    for (const auto& start : starts)
      for (Index i = 0; i < kWidth; ++i)
        tables.push_back(static_cast<std::int32_t>(100 * start.slot + i));
    device_.start_slots({d_.put(starts), d_.put(tables), static_cast<Index>(starts.size()), kWidth,
                         slots_, tables_});
  }
  struct Loaded {
    Ints ids;
    std::vector<std::int32_t> positions, first_blocks;
  };
  Loaded load(const std::vector<std::int32_t>& order) {
    const auto rows = order.size();
    auto* ids = d_.put(Ints(rows, -9));
    auto* positions = d_.put(std::vector<std::int32_t>(rows, -9));
    auto* tables = d_.put(std::vector<const std::int32_t*>(rows, nullptr));
    device_.load_rows(
        {settings_, slots_, d_.put(order), static_cast<Index>(rows), ids, positions, tables});
    Loaded loaded{d_.get(ids, rows), d_.get(positions, rows), {}};
    for (const auto* table : d_.get(tables, rows))
      loaded.first_blocks.push_back(d_.get(table, 1)[0]);
    return loaded;
  }
  std::vector<aha::DrawnToken> sample(const std::vector<std::int32_t>& order, const Floats& h,
                                      const Floats& w, Index V) {
    auto* drawn = d_.put(std::vector<aha::DrawnToken>(order.size(), {-7, 7, 7}));
    device_.sample_slots({d_.put(h),
                          {d_.put(w)},
                          static_cast<Index>(order.size()),
                          kC,
                          V,
                          settings_,
                          d_.put(order),
                          slots_,
                          drawn});
    return d_.get(drawn, order.size());
  }
  std::vector<aha::DecodeSlot> slots() const { return d_.get(slots_, at(kSlots)); }

 private:
  Device d_;
  const aha::DeviceOps& device_;
  aha::DecodeSettings how_;
  aha::DecodeSettings* settings_;
  aha::DecodeSlot* slots_;
  std::int32_t* tables_;
};

aha::DecodeSettings settings(Index top_k = 0, float top_p = 1.0F, float min_p = 0.0F,
                             bool greedy = false) {
  aha::DecodeSettings s{};
  s.key = {71, aha::Purpose::Eval, 3};
  s.inv_temperature = 1.25F;
  s.top_k = top_k;
  s.top_p = top_p;
  s.min_p = min_p;
  s.greedy = greedy ? 1 : 0;
  return s;
}

aha::SlotStart slot(std::int64_t number, std::int32_t prompt, std::int32_t limit) {
  return {number, {0, prompt - 1, 0, limit, 0, (std::uint64_t{1} << 40) + 5, 3}};
}

/// What a CPU draws for a slot's row.
aha::DrawnToken on_cpu(const aha::DecodeSettings& how, const aha::DecodeSlot& slot, const float* h,
                       const Floats& w, Index V) {
  auto key = how.key;
  key.ordinal = slot.ordinal;
  key.sample = slot.sample;
  key.position = static_cast<std::uint64_t>(slot.length);
  const double uniform = aha::uniform(key);
  aha::DrawnToken drawn{};
  cpu_ops().head_sample({}, {h,
                             {w.data()},
                             how.greedy != 0 ? nullptr : &uniform,
                             &drawn.id,
                             &drawn.logprob,
                             &drawn.entropy,
                             1,
                             kC,
                             V,
                             how.inv_temperature,
                             how.top_k,
                             how.top_p,
                             how.min_p});
  return drawn;
}

}  // namespace

TEST_CASE("gpu: slots draw what a CPU draws with their random keys, and advance", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(61);
  const std::vector<std::int32_t> order = {4, -1, 0, 8, 2};
  int different = 0;
  for (const Index V : {17, 300})
    for (const auto& how :
         {settings(), settings(9, 0.8F), settings(0, 1.0F, 0.05F), settings(0, 1.0F, 0.0F, true)}) {
      Slots slots(*gpu, how, {});
      slots.start({slot(4, 3, 90), slot(0, 30, 90), slot(8, 1, 90), slot(2, 16, 90)});
      for (int step = 0; step < 3; ++step) {
        const Floats h = random.normal(5 * kC);
        const Floats w = random.normal(V * kC, 0.4F);
        const auto before = slots.slots();
        const auto drawn = slots.sample(order, h, w, V);
        const auto after = slots.slots();
        CHECK(drawn[1].id == -1);
        for (const std::size_t row : {0, 2, 3, 4}) {
          const auto number = static_cast<std::size_t>(order[row]);
          const auto expected = on_cpu(how, before[number], h.data() + row * kC, w, V);
          different += drawn[row].id == expected.id ? 0 : 1;
          if (drawn[row].id == expected.id) {
            CHECK(drawn[row].logprob == Approx(expected.logprob).epsilon(1e-4).margin(1e-5));
            CHECK(drawn[row].entropy == Approx(expected.entropy).epsilon(1e-4).margin(1e-5));
          }
          CHECK(after[number].id == drawn[row].id);
          CHECK(after[number].length == step + 1);
          CHECK(after[number].position == before[number].position + 1);
          CHECK(after[number].finished == 0);
        }
        CHECK(after[1].length == 0);  // nobody's
      }
    }
  CHECK(different <= 1);  // a uniform may fall on a border
}

TEST_CASE("gpu: a slot ends with a stop id or at its limit, and takes no part from then on",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  // greedy: the row of w that h points to
  const Index V = 40;
  Floats w(at(V * kC), 0.0F);
  for (Index i = 0; i < kC; ++i)
    w[at(i * kC + i)] = 1.0F;
  const auto towards = [](const Ints& ids) {
    Floats h(ids.size() * at(kC), 0.0F);
    for (std::size_t r = 0; r < ids.size(); ++r)
      h[r * at(kC) + at(ids[r])] = 4.0F;
    return h;
  };
  Slots slots(*gpu, settings(0, 1.0F, 0.0F, true), {11, 6});
  slots.start({slot(1, 20, 2), slot(3, 5, 9), slot(5, 16, 9)});
  const std::vector<std::int32_t> order = {3, 1, 5, -1};
  auto drawn = slots.sample(order, towards({2, 3, 4, 5}), w, V);
  CHECK((drawn[0].id == 2 && drawn[1].id == 3 && drawn[2].id == 4 && drawn[3].id == -1));
  auto loaded = slots.load(order);
  CHECK(loaded.ids == Ints{2, 3, 4, 0});
  CHECK(loaded.positions == std::vector<std::int32_t>{5, 20, 16, 0});
  CHECK(loaded.first_blocks == std::vector<std::int32_t>{300, 100, 500, 77});

  drawn = slots.sample(order, towards({6, 3, 4, 5}), w, V);  // a stop id; the limit of 2; neither
  CHECK((drawn[0].id == 6 && drawn[1].id == 3 && drawn[2].id == 4));
  loaded = slots.load(order);
  CHECK(loaded.ids == Ints{0, 0, 4, 0});
  CHECK(loaded.positions == std::vector<std::int32_t>{0, 0, 17, 0});
  CHECK(loaded.first_blocks == std::vector<std::int32_t>{77, 77, 500, 77});

  drawn = slots.sample(order, towards({2, 2, 11, 2}), w, V);
  CHECK((drawn[0].id == -1 && drawn[1].id == -1 && drawn[2].id == 11));
  CHECK(slots.slots()[3].length == 2);
  CHECK(slots.slots()[5].finished != 0);

  slots.start({slot(3, 7, 4)});  // another completion
  drawn = slots.sample(order, towards({9, 2, 2, 2}), w, V);
  CHECK((drawn[0].id == 9 && drawn[2].id == -1));
  CHECK(slots.load(order).positions == std::vector<std::int32_t>{7, 0, 0, 0});
}

TEST_CASE("gpu: recorded calls do what the calls do, after scratch memory has grown as well",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto& device = *gpu->device;
  Random random(62);
  Device d(*gpu);
  const Index M = 9;
  const Index K = 70;
  const Index N = 33;
  const Stored w(cpu_ops(), random.normal(N * K), aha::FloatType::BF16);
  float* x = d.put(random.normal(M * K));
  float* y = d.put(random.normal(M * N));
  const aha::Weight weight{d.put(w.bits), nullptr, aha::FloatType::BF16};
  const auto calls = [&] {
    gpu->zero({}, y, 4 * N);
    gpu->linear({}, {x, K, weight, y, N, M, N, K, true});
    gpu->copy({}, y, 4 * 4 * K, x);
  };
  const Floats x_before = d.get(x, M * K);
  const Floats y_before = d.get(y, M * N);
  device.prepare_recording();
  for (int i = 0; i < 3; ++i)
    calls();
  const Floats expected = d.get(y, M * N);
  const auto again = [&] {
    gpu->memory->upload(x_before.data(), 4 * M * K, x);
    gpu->memory->upload(y_before.data(), 4 * M * N, y);
  };
  again();
  device.begin_recording();
  calls();
  aha::Recording* recording = device.end_recording();
  CHECK(same_bits(d.get(y, M * N), y_before));  // nothing was done
  for (const Index rows : {1, 1000, 4000}) {
    Device other(*gpu);
    if (rows == 1000) device.prepare_recording();  // in the scratch memory of recorded calls
    gpu->linear({}, {other.put(random.normal(rows * K)), K, weight, other.put(poison(rows * N)), N,
                     rows, N, K});
    device.drop_recording();
    again();
    for (int i = 0; i < 3; ++i)
      device.launch(recording);
    CHECK(same_bits(d.get(y, M * N), expected));
  }
  device.forget(recording);
}

TEST_CASE("gpu: a recording that finds no memory is refused, and what it took is given back",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr || gpu->device->state().name != std::string("a pretended GPU")) return;
  const auto& device = *gpu->device;
  Device d(*gpu);
  float* x = d.put(Floats{1, 2});
  const auto record = [&] {
    device.prepare_recording();
    device.begin_recording();
    gpu->zero({}, x, 4);
    return device.end_recording();
  };
  const auto state = device.state();
  setenv("AHA_PRETENDED_BYTES", std::to_string(state.total - state.free).c_str(), 1);
  CHECK_THROWS_AS(record(), aha::OutOfMemory);
  unsetenv("AHA_PRETENDED_BYTES");
  CHECK(d.get(x, Index{2}) == Floats{1, 2});
  aha::Recording* recording = record();
  device.launch(recording);
  CHECK(d.get(x, Index{2}) == Floats{0, 2});
  device.forget(recording);
  CHECK(device.state().free == state.free);
}

TEST_CASE("gpu: a recording that is dropped is none, and its calls are not done", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto& device = *gpu->device;
  Device d(*gpu);
  float* x = d.put(Floats{1, 2});
  device.prepare_recording();
  device.drop_recording();
  device.prepare_recording();
  device.begin_recording();
  gpu->zero({}, x, 4);
  device.drop_recording();
  CHECK(d.get(x, Index{2}) == Floats{1, 2});
  gpu->zero({}, x, 4);
  CHECK(d.get(x, Index{2}) == Floats{0, 2});
}

TEST_CASE("gpu: what is brought later is there when its mark was waited for", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto& device = *gpu->device;
  Device d(*gpu);
  const Ints first = {1, 2, 3};
  const Ints second = {4, 5, 6};
  auto* memory = d.put(first);
  auto* arrived = static_cast<std::int64_t*>(device.allocate_pinned(48));
  device.download_later(memory, 24, arrived);
  const auto mark = device.mark();
  gpu->memory->upload(second.data(), 24, memory);
  device.download_later(memory, 24, arrived + 3);
  const auto later = device.mark();
  device.wait(mark);
  CHECK(Ints(arrived, arrived + 3) == first);
  device.wait(later);
  CHECK(Ints(arrived, arrived + 6) == Ints{1, 2, 3, 4, 5, 6});
  device.wait(mark);  // which has passed
  device.release_pinned(arrived);
}

TEST_CASE("gpu: uploads in any number keep their order and their bytes", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Device d(*gpu);
  Random random(63);
  std::vector<std::pair<std::int64_t*, Ints>> all;
  for (int i = 0; i < 200; ++i) {
    const Ints values = random.ids(random.between(1, 900), Index{1} << 60);
    all.emplace_back(d.put(values), values);
    if (i % 3 == 0) gpu->memory->upload(&i, sizeof i, all[0].first);
  }
  int last = 0;
  gpu->memory->download(all[0].first, sizeof last, &last);
  CHECK(last == 198);
  for (std::size_t i = 1; i < all.size(); ++i)
    CHECK(d.get(all[i].first, all[i].second.size()) == all[i].second);
}

TEST_CASE("gpu: large uploads without a wait, and marks in any number, keep their order and bytes",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto& device = *gpu->device;
  // three of the segments that they go through; those of a pretended GPU are short
  const bool pretended = device.state().name == std::string("a pretended GPU");
  const std::size_t count = pretended ? 30'005 : 3'000'005;
  Device d(*gpu);
  const auto values = [count](std::uint32_t upload) {
    std::vector<std::uint32_t> words(count);
    for (std::size_t i = 0; i < count; ++i)
      words[i] = static_cast<std::uint32_t>(i) * 2654435761U + upload;
    return words;
  };
  std::vector<std::uint32_t*> all;
  std::vector<std::int64_t> marks;
  for (std::uint32_t upload = 0; upload < 4; ++upload) {
    all.push_back(d.put(values(upload)));
    for (int i = 0; i < 30; ++i)
      marks.push_back(device.mark());
  }
  device.wait(marks.front());
  device.wait(marks.back());
  for (std::uint32_t upload = 0; upload < 4; ++upload)
    CHECK(d.get(all[upload], count) == values(upload));
}

TEST_CASE("gpu: moments are counted from the first again once they are forgotten", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const auto& device = *gpu->device;
  for (int i = 0; i < 2; ++i) {
    CHECK(device.moment() == 0);
    CHECK(device.moment() == 1);
    CHECK(device.seconds_between(0, 1) >= 0);
    device.forget_moments();
  }
}

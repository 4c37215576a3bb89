#include "scripts/bench/gpu/timed_ops.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/kernels/device_ops.h"

namespace aha_bench {
namespace {

using aha::Ops;

TimedOps* current = nullptr;

/// The function that stands in for a table's.
template <auto Member, class Function>
struct Timed;
template <auto Member, class R, class... Arguments>
struct Timed<Member, R (*)(Arguments...)> {
  static inline std::size_t number = 0;  ///< in the list of operations
  static R call(Arguments... arguments) {
    const std::int64_t begin = current->mark();
    if constexpr (std::is_void_v<R>) {
      (current->inner().*Member)(arguments...);
      current->add(number, begin);
    } else {
      const R result = (current->inner().*Member)(arguments...);
      current->add(number, begin);
      return result;
    }
  }
};

template <auto Member>
void replace(Ops& table, std::size_t number) {
  using Function = std::remove_reference_t<decltype(table.*Member)>;
  Timed<Member, Function>::number = number;
  if (table.*Member != nullptr) table.*Member = Timed<Member, Function>::call;
}

struct Operation {
  std::string_view name;
  void (*replace)(Ops& table, std::size_t number);
};

constexpr std::array kOperations{
#define AHA_OPERATION(name) Operation{#name, replace<&Ops::name>}
    AHA_OPERATION(zero),
    AHA_OPERATION(copy),
    AHA_OPERATION(linear),
    AHA_OPERATION(linear_dx),
    AHA_OPERATION(linear_dw),
    AHA_OPERATION(rms_norm),
    AHA_OPERATION(rms_norm_backward),
    AHA_OPERATION(add_bias),
    AHA_OPERATION(add_bias_backward),
    AHA_OPERATION(head_norm),
    AHA_OPERATION(head_norm_backward),
    AHA_OPERATION(rope),
    AHA_OPERATION(swiglu),
    AHA_OPERATION(swiglu_backward),
    AHA_OPERATION(norm_linear),
    AHA_OPERATION(swiglu_linear),
    AHA_OPERATION(finish_qkv),
    AHA_OPERATION(attend_linear),
    AHA_OPERATION(linear_backward),
    AHA_OPERATION(norm_linear_backward),
    AHA_OPERATION(mlp_backward),
    AHA_OPERATION(embed),
    AHA_OPERATION(embed_backward),
    AHA_OPERATION(kv_write),
    AHA_OPERATION(kv_read_grad),
    AHA_OPERATION(kv_copy),
    AHA_OPERATION(kv_fold_grad),
    AHA_OPERATION(attention),
    AHA_OPERATION(attention_backward),
    AHA_OPERATION(head_logprob),
    AHA_OPERATION(head_logprob_backward),
    AHA_OPERATION(head_sample),
    AHA_OPERATION(adamw),
    AHA_OPERATION(block_squares),
    AHA_OPERATION(narrow),
    AHA_OPERATION(widen),
#undef AHA_OPERATION
};

}  // namespace

Marks marks_of(const Ops& ops) {
  if (ops.device != nullptr) return {ops.device->moment, ops.device->seconds_between};
  const auto since = [](aha::Clock::time_point t) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
  };
  return {
      [since] { return since(aha::Clock::now()); },
      [](std::int64_t begin, std::int64_t end) { return 1e-9 * static_cast<double>(end - begin); }};
}

TimedOps::TimedOps(const Ops& inner, Marks marks)
    : inner_(&inner), marks_(std::move(marks)), table_(inner) {
  aha::check(current == nullptr, "one table is timed at a time");
  current = this;
  for (std::size_t i = 0; i < kOperations.size(); ++i)
    kOperations[i].replace(table_, i);
}

TimedOps::~TimedOps() {
  current = nullptr;
  if (inner_->device != nullptr) inner_->device->forget_moments();
}

std::vector<OpTime> TimedOps::times() const {
  std::vector<OpTime> times;
  for (const auto& operation : kOperations)
    times.push_back({operation.name});
  for (const auto& span : spans_) {
    ++times[span.operation].calls;
    times[span.operation].seconds += marks_.seconds(span.begin, span.end);
  }
  std::erase_if(times, [](const OpTime& t) { return t.calls == 0; });
  std::sort(times.begin(), times.end(),
            [](const OpTime& a, const OpTime& b) { return a.seconds > b.seconds; });
  return times;
}

}  // namespace aha_bench

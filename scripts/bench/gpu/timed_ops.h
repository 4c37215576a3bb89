#pragma once
// A table of kernels that notes how long each of its operations takes.
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "trainer/kernels/ops.h"

namespace aha_bench {

/// Places in the order of a table's calls, and the seconds between two of them once both are passed.
struct Marks {
  std::function<std::int64_t()> mark;
  std::function<double(std::int64_t begin, std::int64_t end)> seconds;
};

/// Of a device; where a table returns when it is done, of the host's clock.
Marks marks_of(const aha::Ops& ops);

struct OpTime {
  std::string_view name;
  std::int64_t calls = 0;
  double seconds = 0;
};

/// While it lives, calls of `table` are timed and passed on. One at a time: the functions of a table have no state.
class TimedOps {
 public:
  TimedOps(const aha::Ops& inner, Marks marks);
  ~TimedOps();
  TimedOps(const TimedOps&) = delete;
  TimedOps& operator=(const TimedOps&) = delete;

  const aha::Ops& table() const { return table_; }
  void clear() { spans_.clear(); }
  /// Of the operations that were called, the longest first.
  std::vector<OpTime> times() const;

  // for the table's functions
  const aha::Ops& inner() const { return *inner_; }
  std::int64_t mark() const { return marks_.mark(); }
  void add(std::size_t operation, std::int64_t begin) {
    spans_.push_back({operation, begin, marks_.mark()});
  }

 private:
  struct Span {
    std::size_t operation;
    std::int64_t begin, end;
  };
  const aha::Ops* inner_;
  Marks marks_;
  aha::Ops table_;
  std::vector<Span> spans_;
};

}  // namespace aha_bench

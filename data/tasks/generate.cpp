#include "data/tasks/generate.h"

#include <ostream>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::int64_t kMostRows = std::int64_t{1} << 40;

}  // namespace

void generate_rows(const Task& task, const GenerateOptions& options, std::ostream& out) {
  if (options.count < 0 || options.first < 0)
    fail("{} rows from row {}: expected 0 or more", options.count, options.first);
  // A row's number is part of the key of its random numbers, which has 48 bits for it.
  if (options.count > kMostRows || options.first > kMostRows - options.count)
    fail("{} rows from row {}: rows are numbered below 2^40", options.count, options.first);
  for (std::int64_t i = 0; i < options.count; ++i) {
    const auto index = static_cast<std::uint64_t>(options.first + i);
    out << dump_line(task.row(options.split, options.seed, index)) << '\n';
    if (!out) fail("writing the rows failed after {} of {}", i, options.count);
  }
  if (!out.flush()) fail("writing the rows failed at their end");
}

}  // namespace aha

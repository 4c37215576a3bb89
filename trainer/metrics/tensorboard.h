#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "trainer/metrics/append_file.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

/// One named number of an event.
struct Scalar {
  std::string tag;
  float value = 0;
};

/// Bytes of TensorBoard's `Event` message (tensorboard/compat/proto/event.proto): wall_time (field
/// 1, double, seconds since 1970), step (2, int64), and a summary (5) of {tag (1), simple_value
/// (2)}.
std::string scalar_event(double wall_time, std::int64_t step, std::span<const Scalar> scalars);

/// The event that opens a file: wall_time and file_version "brain.Event:2".
std::string version_event(double wall_time);

/// TFRecord framing: length as u64, masked CRC-32C of it as u32, the bytes, masked CRC-32C of them,
/// all little-endian. Masked is ((crc >> 15) | (crc << 17)) + 0xa282ead8.
std::string tf_record(std::string_view bytes);

/// Writes a run's scalars as a TensorBoard event file. The name holds no time and no host, so a
/// resumed run finds its own file again.
class TensorboardWriter {
 public:
  static constexpr std::string_view kFileName = "events.out.tfevents.0000000000.aha";

  /// `folder` must exist. `offset` 0 starts a new file; a checkpoint's offset cuts the file to it
  /// (see AppendFile). `wall_time` is that of the opening record.
  TensorboardWriter(const std::filesystem::path& folder, double wall_time,
                    std::uint64_t offset = 0);

  /// One event with every value of the row that a float holds (no NaN), at the row's global_step.
  void write(const MetricsRow& row, double wall_time);

  std::uint64_t offset() const { return file_.offset(); }
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

}  // namespace aha

#pragma once
#include <filesystem>
#include <optional>

#include "trainer/comm/communicator.h"
#include "trainer/comm/trace_file.h"

namespace aha {

/// log.trace: collects what the ranks did into output_dir/trace_N.json, where N counts the starts of the run. Every
/// call is collective; rank 0 writes.
class Trace {
 public:
  /// `folder` is rank 0's.
  Trace(Communicator& comm, const std::filesystem::path& folder);

  /// After a step: every so many are collected at once.
  void step_done();
  /// Collects what there is.
  void flush();

 private:
  Communicator& comm_;
  std::optional<TraceFile> file_;
  int steps_ = 0;
  bool full_ = false;  ///< agreed on by all
};

}  // namespace aha

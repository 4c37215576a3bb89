#pragma once
#include <filesystem>
#include <optional>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/comm/communicator.h"

namespace aha {

/// Reads checkpoints on all ranks, each its own slice of the optimizer's state. Rank 0 says which; one that
/// any rank cannot read, none has read.
class SharedReader {
 public:
  SharedReader(Communicator& comm, const ParameterLayout& layout);

  /// On rank 0: reads one, with the others. UserError of the first rank that cannot.
  LoadedCheckpoint read(const std::filesystem::path& folder);
  /// On rank 0: that was all.
  void end();
  /// On the others: reads along until rank 0 says that it was all. The last that was read.
  std::optional<LoadedCheckpoint> follow();

 private:
  LoadedCheckpoint read_own(const std::filesystem::path& folder);

  Communicator& comm_;
  const ParameterLayout& layout_;
  Slice own_;
};

}  // namespace aha

#pragma once
#include <vector>

#include "trainer/kernels/cuda/device.h"

namespace aha::cuda {

/// Scratch memory, one block a use, replaced by a larger one when more is asked of it. A recording has the
/// addresses of the blocks that it was made with: while there are any, what is replaced is kept. What is recorded
/// has blocks of its own, so that nothing else's growth keeps memory.
class ScratchBlocks {
 public:
  /// At least `bytes`; a new block has `with_room`, which are no fewer.
  void* reserve(Scratch use, Index bytes, Index with_room) {
    Block& block = blocks_[static_cast<int>(use)];
    if (block.bytes < bytes) {
      if (recordings_ > 0)
        replaced_.push_back(block.memory);
      else
        kMemory.release(block.memory);
      block = {};  // an allocation that throws leaves nothing behind
      block = {kMemory.allocate(with_room), with_room};
    }
    return block.memory;
  }

  void recorded() { ++recordings_; }
  void forgotten() {
    if (--recordings_ > 0) return;
    for (void* memory : replaced_)
      kMemory.release(memory);
    replaced_.clear();
  }

 private:
  struct Block {
    void* memory = nullptr;
    Index bytes = 0;
  };
  Block blocks_[static_cast<int>(Scratch::Count)];
  std::vector<void*> replaced_;
  int recordings_ = 0;
};

}  // namespace aha::cuda

#pragma once
#include <cstdint>

namespace aha {

/// What a piece of a thread's scratch memory is for. Two uses that overlap in time have two names.
enum class ScratchSlot : int { PackedB, Lanes, Logits, Row, Scores, Grads, Blocks, Count };

/// At least `floats` f32 of this thread's memory, 64-byte aligned, kept until the thread ends.
/// Contents are undefined; a later call for the same slot on the same thread may move them.
float* scratch(ScratchSlot slot, std::int64_t floats);

}  // namespace aha

#pragma once
#include <cstdint>
#include <vector>

#include "trainer/comm/communicator.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"

namespace aha {

/// The weights of a model of which each rank keeps its own slice (shards_of): a block is brought together when it is
/// wanted, and gone when two others have been. The embedding, the final norm and the head are always there.
///
/// A pass asks for blocks 0, 1, ... to the last, or from the last to 0, each released before the next one is asked
/// for; while one is used the next is on its way. Every rank goes through the same passes in the same order: an
/// order of blocks is an order of collectives.
class GatheredBlocks {
 public:
  GatheredBlocks(const ModelConfig& config, const ParameterLayout& layout, const Ops& ops,
                 Communicator& comm, FloatType storage);
  /// What is on its way keeps its memory: the job is about to end with an error.
  ~GatheredBlocks();
  GatheredBlocks(const GatheredBlocks&) = delete;
  GatheredBlocks& operator=(const GatheredBlocks&) = delete;

  /// The own slice, in the table's memory, as it is sent: float of storage F32, else its 16 bits. Stays the caller's, and readable. Gathers
  /// what stands outside the blocks. Collective.
  void publish(const void* own);
  EdgeWeights edges() const { return edges_; }
  BlockWeights gather(Index layer);
  void release(Index layer);

  /// Elements that are there at a time: two blocks, and what stands outside the blocks.
  static std::int64_t elements_for(const ParameterLayout& layout);

  /// Of a pass: nobody has asked for its first block, or its last one is released.
  bool between_passes() const { return direction_ == 0; }

 private:
  /// Parameters that are gathered together.
  struct Part {
    Slice range;
    std::vector<Slice> owners;     ///< what each rank owns of it, counted from its begin
    std::vector<Slice> vectors;    ///< norms and biases in it, in their order
    std::int64_t vector_size = 0;  ///< elements of them together
  };
  /// Where a part lies once it is gathered.
  struct Place {
    Buffer values;   ///< as stored
    Buffer vectors;  ///< f32, of 16-bit storage
    const Part* part = nullptr;
    Transfer transfer;
    bool travels = false;
  };
  Part part(const ParameterLayout& layout, Slice range) const;
  void begin(const Part& part, Place& place);
  void finish(Place& place);
  Place& place_of(Index layer) { return places_[static_cast<std::size_t>(layer % 2)]; }
  Weight matrix(const Place& place, std::int64_t offset) const;
  const float* vector(const Place& place, std::int64_t offset) const;
  std::int64_t element_bytes() const { return storage_ == FloatType::F32 ? 4 : 2; }

  ModelConfig config_;
  const Ops* ops_;
  Communicator* comm_;
  FloatType storage_;
  std::vector<BlockOffsets> offsets_;
  std::int64_t head_;
  Slice own_;
  std::vector<Slice> shards_;
  const char* own_values_ = nullptr;
  std::vector<Part> blocks_;
  Part before_, after_;  ///< of the blocks
  Place embedding_, tail_;
  std::vector<Place> places_;  ///< two, which blocks take in turn
  EdgeWeights edges_{};
  Index direction_ = 0;  ///< of the pass under way: 1 or -1
};

}  // namespace aha

#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/comm/communicator.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"

namespace aha {

/// The gradient of an update: what backward passes add, summed over micro-batches and ranks, of which each rank
/// keeps its own slice (shards_of).
///
/// Parameters lie in buckets of whole blocks, from the last one down; the first bucket also holds the final norm
/// and an untied head, the last one the embedding. A bucket goes to its owners as soon as the backward pass has
/// left it, and travels while the pass goes on (as in Li et al. 2020, arXiv:2006.15704, section 3.2.3).
///
///   zero_stage 1   gradients [total]; sent in the last micro-batch of an update
///   zero_stage 2   the own slice, the first and the last bucket, two others (Rajbhandari et al. 2020,
///                  arXiv:1910.02054, section 5.2); sent in every micro-batch
///   zero_stage 3   the same: what is divided beside it are weights
///
/// With `accumulate` BF16 each micro-batch's gradient, summed over ranks in f32, is added to the own slice in bf16, stochastically
/// rounded: half its memory, on one rank as well, where buckets are then as in stage 2.
///
/// With `strict` each micro-batch's gradient is rounded to int64 at a step of 2^-44 and added as an integer, which
/// takes 8 bytes more a value: the sum then has the same bits for any order, any number of ranks and either stage.
///
/// Every rank goes through the same calls; one with fewer micro-batches than others adds nothing in their place.
class GradientSum : public GradientSink {
 public:
  struct Options {
    int zero_stage = 1;
    bool strict = false;
    std::int64_t bucket_elements = std::int64_t{1}
                                   << 21;   ///< 8 MB, or one block where that is more
    FloatType accumulate = FloatType::F32;  ///< or BF16, not with strict
    std::uint64_t seed = 0;                 ///< of its rounding
    std::uint32_t stage = 0;                ///< of the job
  };

  /// Memory is that of the table. One rank has nothing to divide: stage 1.
  GradientSum(const ParameterLayout& layout, const Ops& ops, const Exec& exec, Communicator& comm,
              const Options& options);
  /// What is still travelling keeps its memory: the job is about to end with an error.
  ~GradientSum() override;
  GradientSum(GradientSum&&) = default;
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(GradientSum&&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// A new update: this rank runs `own` micro-batches, no rank more than `most`. Forgets the sum before. `update`: its number,
  /// for the rounding.
  void begin(std::int64_t own, std::int64_t most, std::int64_t update = 0);
  /// Micro-batches of this rank alone, to learn what `end_batch` says of each: nothing is summed or sent.
  void begin_examination();

  EdgeGrads edges() override;
  BlockGrads block(Index layer) override;
  void ready(Index layer) override;
  /// The pass is over. False: a value is not finite, or (strict) this rank's part of a sum leaves the range of
  /// +-2^19 / ranks, in which the ranks' parts cannot overflow together.
  /// Without `strict` it is looked at in an examination only, and otherwise in the sum's norm.
  [[nodiscard]] bool end_batch();

  /// Takes part in what other ranks still add, with zeros, and waits for the own slice. False (strict, stage 2):
  /// the sum over micro-batches and ranks leaves the range of +-2^19. Collective.
  [[nodiscard]] bool finish();
  /// The own slice of the sum, f32 in the table's memory; after `finish`, until the next `begin`. Not of sums in bf16.
  const float* own() const;
  /// The same whatever its type: calls body(part, f32 values of the part) for parts of whole units (kShardUnit), in their order.
  using Body = std::function<void(const Slice& part, const float* values)>;
  void each_part(const Body& body);

  /// Bytes that it takes on one of `ranks` ranks.
  static std::int64_t bytes_for(const ParameterLayout& layout, const Options& options, int ranks);
  /// Bytes beside it of a host's memory, on the rank that has most: room for what other ranks send to be added.
  static std::int64_t room_bytes_for(const ParameterLayout& layout, const Options& options,
                                     int ranks);

 private:
  /// Consecutive parameters that are sent together.
  struct Bucket {
    Slice range;
    Index first_layer = 0;          ///< the last that the backward pass comes to
    float* values = nullptr;        ///< [range] gradients of the micro-batch, or of all so far
    std::int64_t* fixed = nullptr;  ///< [range] strict: the same as integers
    std::vector<Slice> owners;      ///< what each rank owns of it, counted from its begin
    float* room = nullptr;          ///< for the other ranks' parts of what this one owns
    bool open = false;              ///< the pass under way adds to it
    bool sent = false;
    std::int64_t round = 0;  ///< the micro-batch that was sent
    Transfer transfer;
  };
  static std::vector<Bucket> cut(const ParameterLayout& layout, std::int64_t elements);
  /// Where each bucket's values begin in memory that holds the ones of one micro-batch; at the end, its size.
  static std::vector<std::int64_t> places(const std::vector<Bucket>& buckets, int zero_stage);
  /// Elements of the rooms that every other bucket uses: two can travel, one in each.
  static std::array<std::int64_t, 2> rooms(const std::vector<Bucket>& buckets, const Slice& own,
                                           int ranks);
  bool rounds() const { return options_.accumulate == FloatType::BF16; }
  /// The own part of a bucket's values, to what is kept of it.
  void add_own(const Bucket& bucket);
  Bucket& bucket_of(Index layer);
  void open(Bucket& bucket);
  void close(Bucket& bucket);
  void send(Bucket& bucket);
  void collect(Bucket& bucket);
  /// Values of a micro-batch are added to nothing but themselves.
  bool starts_anew() const { return options_.zero_stage >= 2 || options_.strict || examining_; }
  /// What the pass under way leaves is sent.
  bool sends() const { return !examining_ && (options_.zero_stage >= 2 || rounds_left_ == 1); }

  const Ops* ops_;
  Exec exec_;
  Communicator* comm_;
  Options options_;
  std::vector<BlockOffsets> blocks_;
  std::int64_t embed_, final_norm_, head_;
  Slice own_;
  std::vector<Bucket> buckets_;  ///< from the last layers down
  Buffer values_;                ///< f32, of all buckets
  Buffer fixed_;                 ///< i64, as values_
  Buffer room_;                  ///< of all buckets
  Buffer own_values_;            ///< [own_] f32 or bf16, stage 2
  Buffer own_fixed_;             ///< [own_] i64, stage 2
  std::int64_t rounds_left_ = 0;
  std::int64_t update_ = 0, round_ = 0;  ///< their numbers
  bool examining_ = false;
  bool sound_ = true;      ///< the pass under way
  bool sum_sound_ = true;  ///< what was collected
};

}  // namespace aha

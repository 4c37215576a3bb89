#pragma once
#include <memory>
#include <span>
#include <vector>

#include "trainer/kernels/buffer.h"
#include "trainer/kernels/ops.h"
#include "trainer/model/model_config.h"
#include "trainer/model/rope.h"
#include "trainer/model/row_batch.h"
#include "trainer/model/staged_rows.h"

namespace aha {

/// Weights of one transformer block, as the decoder reads them. `qkv` is q, k and v as one matrix
/// [(H + 2 Hk) D, C]; `gate_up` is [2F, C].
struct BlockWeights {
  const float* input_norm;  ///< [C]
  Weight qkv;
  Weight o;                ///< [C, H D]
  const float* post_norm;  ///< [C]
  Weight gate_up;
  Weight down;                      ///< [C, F]
  const float* qkv_bias = nullptr;  ///< [(H + 2 Hk) D], qwen2
  const float* qk_norm = nullptr;   ///< [2, D], qwen3
};

/// Gradients of one block, same shapes, added to.
struct BlockGrads {
  float* input_norm;
  float* qkv;
  float* o;
  float* post_norm;
  float* gate_up;
  float* down;
  float* qkv_bias = nullptr;
  float* qk_norm = nullptr;
};

/// What stands outside the blocks.
struct EdgeWeights {
  Weight embed;             ///< [V, C]; its packed copy is not used
  const float* final_norm;  ///< [C]
  Weight head;              ///< [V, C]; the embedding itself when tied
};

struct EdgeGrads {
  float* embed;
  float* final_norm;
  float* head;  ///< the embedding's gradient when tied
};

/// Where parameters are while a block runs. A block is gathered before it runs and released after;
/// weights that are always in memory ignore both. The decoder never knows how they got there.
class ParameterProvider {
 public:
  virtual ~ParameterProvider() = default;

  virtual EdgeWeights edges() = 0;
  virtual BlockWeights gather(Index layer) = 0;
  virtual void release(Index layer) { (void)layer; }
  /// False: blocks are there one at a time, for one pass at a time: rows that go through the decoder in pieces go
  /// through a block together, and nobody but the thread that gathers it asks for it.
  virtual bool side_by_side() const { return true; }
};

/// Where gradients go; same seam.
class GradientSink {
 public:
  virtual ~GradientSink() = default;

  virtual EdgeGrads edges() = 0;
  virtual BlockGrads block(Index layer) = 0;
  virtual void ready(Index layer) { (void)layer; }  ///< the block's gradients are complete
};

/// What keys, values, gates and ups are kept in beside weights of a type: a device rounds those of bf16 weights. Its
/// attention would round keys and values too; gates and ups are the widest rows there are.
inline FloatType kept_beside(FloatType weights, bool on_host) {
  return weights == FloatType::BF16 && !on_host ? FloatType::BF16 : FloatType::F32;
}

/// Key/value blocks of all layers, or of as many as are asked for: [L][num_blocks][elements of a block].
class KvCache {
 public:
  KvCache(const ModelConfig& config)  // NOLINT(google-explicit-constructor)
      : KvCache(config, config.num_hidden_layers) {}
  KvCache(const ModelConfig& config, Index layers) : config_(&config), layers_(layers) {}

  /// `weights`: of those that the rows go through, always the same.
  void reserve(Index num_blocks, const Memory& memory = kHostMemory,
               FloatType weights = FloatType::F32);
  KvStore layer(Index l) const;
  Index num_blocks() const { return num_blocks_; }
  std::int64_t bytes() const { return buffer_.bytes(); }
  /// Bytes that `num_blocks` blocks take, of all layers and of one.
  static std::int64_t bytes_for(const ModelConfig& config, Index num_blocks,
                                FloatType type = FloatType::F32);
  static std::int64_t layer_bytes_for(const ModelConfig& config, Index num_blocks,
                                      FloatType type = FloatType::F32);
  void zero(const Ops& ops, const Exec& exec);

 private:
  std::int64_t bytes_here(Index num_blocks) const {
    return layers_ * layer_bytes_for(*config_, num_blocks, type_);
  }

  const ModelConfig* config_;
  Index layers_;
  Buffer buffer_;
  Index num_blocks_ = 0;
  FloatType type_ = FloatType::F32;
};

/// Intermediate rows of one forward pass that keeps nothing. One per thread that runs the decoder.
struct Scratch {
  /// Takes memory for M rows.
  void reserve(const ModelConfig& config, Index M, const Memory& memory);
  /// What `reserve` takes.
  static std::int64_t bytes_for(const ModelConfig& config, Index M);

  Buffer x, normed, qkv, attention, gate_up, hidden;
  StagedRows rows;
  Staging head;     ///< what the head reads of the host
  Returning drawn;  ///< and what the host wants of it
};

/// What a training forward pass keeps for its backward pass.
struct Activations {
  /// `recomputed` (gradient checkpointing, Chen et al. 2016, arXiv:1604.06174): of each block what enters it alone; the
  /// backward pass runs the block's forward pass again, to the same bits.
  explicit Activations(const ModelConfig& config, bool recomputed = false);

  /// What one block computes, beside what enters it.
  struct Block {
    Buffer inv_rms_in, qkv, attention, lse, x_mid, inv_rms_mid, gate_up;
    Buffer qk, inv_rms_qk;  ///< q and k before their norm, where the family has one

    std::int64_t bytes() const;
  };
  std::vector<Buffer> x_in;   ///< [L] of [M, C]
  std::vector<Block> blocks;  ///< [L]; none: they are computed again
  KvCache kv;                 ///< of as many layers
  Buffer x_out, inv_rms_out;
  Buffer hidden;  ///< [M, C] after the final norm; on the way back the residual stream's derivative
  StagedRows rows;

  bool recomputed() const { return blocks.empty(); }
  std::int64_t bytes() const;
};

/// What rows work in on their way through one block; parts that are not side by side take turns.
struct BlockScratch {
  explicit BlockScratch(const ModelConfig& config) : kv(config, 1) {}

  Buffer normed, wide;
  Activations::Block block;  ///< of activations that are computed again
  KvCache kv;                ///< keys and values of that block

  std::int64_t bytes() const;
};

/// Where a block's activations, and its keys and values, are.
inline Activations::Block& block_of(Index l, Activations& kept, BlockScratch& scratch) {
  return kept.recomputed() ? scratch.block : kept.blocks[static_cast<std::size_t>(l)];
}
inline KvStore kv_of(Index l, const Activations& kept, const BlockScratch& scratch) {
  return kept.recomputed() ? scratch.kv.layer(0) : kept.kv.layer(l);
}

/// What the backward pass through one block works in; parts take turns.
struct BackwardScratch {
  explicit BackwardScratch(const ModelConfig& config) : block(config) {}

  BlockScratch block;
  Buffer dkv, dnormed, dqkv;

  std::int64_t bytes() const;
};

/// Rows that went through one forward pass, and `dhidden` [M, C], the derivative with respect to the hidden
/// rows that it returned.
struct BackwardPart {
  RowBatch rows;
  const float* dhidden;
  Activations* kept;
};

/// Rows on their way through a forward pass, in the table's memory.
struct ForwardPart {
  RowBatch rows;
  Activations* kept;
};

/// The one decoder: pre-norm blocks of RMSNorm, rotary grouped-query attention and SwiGLU, with what
/// the config's family adds. Rollout and training run the same kernels in the same order per row, so a token's
/// log-probability is the same bits in both.
class Decoder {
 public:
  Decoder(const ModelConfig& config, const Ops& ops);

  /// Final normed hidden rows [M, C] in scratch.hidden, in the table's memory; rows and their arrays are
  /// the host's. K and V of the rows are stored in `cache`.
  /// Thread-safe for disjoint rows, blocks and scratch.
  const float* forward(const Exec& exec, ParameterProvider& weights, const RowBatch& rows,
                       KvCache& cache, Scratch& scratch) const;

  /// The same of rows whose arrays are in the table's memory already.
  const float* forward_staged(const Exec& exec, ParameterProvider& weights, const RowBatch& rows,
                              KvCache& cache, Scratch& scratch) const;

  /// The same, keeping what backward needs.
  const float* forward(const Exec& exec, ParameterProvider& weights, const RowBatch& rows,
                       Activations& kept, BlockScratch& scratch) const;

  /// The same block by block: rows enter, go through each block in its turn, and leave.
  ForwardPart enter(const Exec& exec, const EdgeWeights& edges, const RowBatch& rows,
                    Activations& kept) const;
  void pass_block(const Exec& exec, const BlockWeights& weights, Index layer,
                  const ForwardPart& part, BlockScratch& scratch) const;
  const float* leave(const Exec& exec, const EdgeWeights& edges, const ForwardPart& part) const;

  /// Adds the gradient of every parameter but the head's, block by block from the last one; each block is
  /// gathered once, and its gradient is ready when all parts have gone through it, in their order: to the bit
  /// the gradient of the parts as one batch. Uses up what was kept; what was not is computed again, a part's block at a time.
  void backward(const Exec& exec, ParameterProvider& weights, std::span<const BackwardPart> parts,
                BackwardScratch& scratch, GradientSink& grads) const;

  const ModelConfig& config() const { return config_; }
  const Ops& ops() const { return *ops_; }

 private:
  struct BlockRows;  // the pointers one block's forward works on
  struct Backward;   // what one part's way back works on
  void forward_block(const Exec& exec, const BlockWeights& w, const RowBatch& rows,
                     const KvStore& kv, const BlockRows& p) const;
  BlockRows kept_rows(Index l, const ForwardPart& part, FloatType weights,
                      BlockScratch& scratch) const;
  void pass_block_again(const Exec& exec, const BlockWeights& weights, Index layer,
                        const ForwardPart& part, BlockScratch& scratch) const;
  void backward_mlp(const Exec& exec, const BlockWeights& w, const BlockGrads& g, Index l,
                    const Backward& p) const;
  void backward_attention(const Exec& exec, const BlockWeights& w, const BlockGrads& g, Index l,
                          const Backward& p) const;
  void rotate(const Exec& exec, float* qkv, const RowBatch& rows, bool inverse) const;
  Index qkv_width() const;
  Index heads() const { return config_.num_attention_heads + config_.num_key_value_heads; }

  ModelConfig config_;
  const Ops* ops_;
  RopeTable rope_;
  Staging rope_staging_;
  const float* cos_ = nullptr;  ///< of rope_, in the table's memory
  const float* sin_ = nullptr;
};

}  // namespace aha

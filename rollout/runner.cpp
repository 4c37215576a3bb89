#include "rollout/runner.h"

#include <algorithm>
#include <limits>

#include "trainer/kernels/out_of_memory.h"

namespace aha {
namespace {

/// Fewer rows than this a piece, and the team works inside each kernel instead.
constexpr std::int64_t kRowsWorthAPiece = 12;
/// More pieces than threads, as far as rows last: a thread that a busy neighbour holds up takes fewer.
constexpr std::int64_t kPiecesPerThread = 2;
constexpr std::int64_t kRowsOfASmallPiece = 48;
/// Rows a thread from which a product takes so long that every thread may read all the weights for itself.
constexpr std::int64_t kRowsThatHideWeights = 128;
/// Below this much work (floating point operations a step) one thread alone is fastest.
constexpr double kFlopWorthATeam = 2e6;

/// What a core's second-level cache and its share of the next one serve quickly.
constexpr std::int64_t kCacheBytes = 4 << 20;
/// Fewer rows a thread than this make slow products.
constexpr std::int64_t kRowsOfAWave = 32;

double block_flop_per_row(const ModelConfig& c) {
  const auto width = static_cast<double>(c.hidden_size);
  const double attention =
      static_cast<double>((2 * c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim) *
      width;
  const double mlp = 3.0 * width * static_cast<double>(c.intermediate_size);
  return 2.0 * static_cast<double>(c.num_hidden_layers) * (attention + mlp);
}

/// Two floating point operations a weight of 4 bytes.
bool weights_fit_caches(const ModelConfig& c) {
  return 2.0 * block_flop_per_row(c) <= static_cast<double>(kCacheBytes);
}

}  // namespace

Runner::Runner(const Decoder& decoder, ParameterProvider& weights, Exec exec,
               std::int64_t vocabulary)
    : decoder_(&decoder),
      weights_(&weights),
      exec_(exec),
      vocabulary_(vocabulary),
      cache_(decoder.config()),
      scratch_(static_cast<std::size_t>(kPiecesPerThread * exec.threads())) {
  if (decoder.ops().device != nullptr)
    device_ = std::make_unique<DeviceSteps>(decoder, weights, vocabulary, cache_);
}

void Runner::reserve(const Scheduler& scheduler) {
  const Memory& memory = *decoder_->ops().memory;
  const Index prompts =
      std::min(scheduler.prompt_tokens(), kPrefillTokens - 1 + scheduler.longest_prompt());
  const Index rows = std::max(prompts, scheduler.max_batch());
  scratch_[0].reserve(decoder_->config(), rows, memory);
  scratch_[0].rows.expect(rows, prompts / kKvBlock + scheduler.num_places(), memory);
  copies_.expect(scheduler.max_batch() * static_cast<Index>(sizeof(KvCopy)), 1, memory);
  places_.expect(scheduler.max_batch() * static_cast<Index>(sizeof(TokenId)), 1, memory);
}

void Runner::expect(const Scheduler& scheduler) try {
  if (device_ == nullptr) return;
  prompt_rows_.reserve(scheduler.num_places() * decoder_->config().hidden_size,
                       *decoder_->ops().memory);
  reserve(scheduler);
  device_->expect(scheduler);
} catch (const OutOfMemory&) {
  device_->give_back();
}

void Runner::begin(const Scheduler& scheduler, const SamplingParams& params) {
  const Memory& memory = *decoder_->ops().memory;
  params_ = &params;
  prompt_rows_.reserve(scheduler.num_places() * decoder_->config().hidden_size, memory);
  if (device_ != nullptr) {
    reserve(scheduler);
    return device_->begin(scheduler, params);
  }
  cache_.reserve(scheduler.num_blocks(), memory);
}

std::int64_t Runner::pieces_for(std::int64_t rows) const {
  const std::int64_t threads = exec_.threads();
  if (!weights_->side_by_side()) return 1;
  if (!weights_fit_caches(decoder_->config()) && rows < threads * kRowsThatHideWeights) return 1;
  if (threads > 1 && rows >= kPiecesPerThread * threads * kRowsOfASmallPiece)
    return kPiecesPerThread * threads;
  return std::clamp<std::int64_t>(rows / kRowsWorthAPiece, 1, threads);
}

std::int64_t Runner::rows_in_caches(const ModelConfig& c, std::int64_t threads,
                                    std::int64_t positions) {
  if (!weights_fit_caches(c)) return std::numeric_limits<std::int64_t>::max();
  const std::int64_t row =
      std::max<std::int64_t>(1, positions) * KvCache::bytes_for(c, 1) / kKvBlock;
  return threads * std::max(kRowsOfAWave, kCacheBytes / row / 8 * 8);
}

void Runner::prefill_range(const Exec& exec, Scratch& scratch,
                           std::span<SharedPrompt* const> prompts,
                           std::span<const GroupRequest> requests) {
  std::vector<TokenId> ids;
  std::vector<std::int32_t> positions;
  std::vector<const std::int32_t*> tables;
  for (const auto* prompt : prompts) {
    const auto& tokens = requests[prompt->request].prompt.ids;
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    for (std::size_t p = 0; p < tokens.size(); ++p) {
      positions.push_back(static_cast<std::int32_t>(p));
      tables.push_back(prompt->blocks.data());
    }
  }
  const float* hidden =
      decoder_->forward(exec, *weights_, {ids, positions, tables, {}, {}}, cache_, scratch);
  const Index width = decoder_->config().hidden_size;
  for (const auto* prompt : prompts) {
    hidden += std::ssize(requests[prompt->request].prompt.ids) * width;
    decoder_->ops().copy(exec, hidden - width, 4 * width,
                         prompt_rows_.data() + prompt->place * width);
  }
}

void Runner::prefill(std::span<SharedPrompt* const> prompts,
                     std::span<const GroupRequest> requests) {
  const std::size_t count = prompts.size();
  if (device_ != nullptr) {
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
      std::int64_t tokens = 0;
      while (end < count && (end == begin || tokens < kPrefillTokens))
        tokens += std::ssize(requests[prompts[end++]->request].prompt.ids);
      prefill_range(exec_, scratch_[0], prompts.subspan(begin, end - begin), requests);
    }
    return;
  }
  const auto pieces =
      weights_->side_by_side() ? std::min(count, static_cast<std::size_t>(exec_.threads())) : 1;
  if (count == 0) return;
  if (pieces == 1) return prefill_range(exec_, scratch_[0], prompts, requests);
  exec_.run(static_cast<std::int64_t>(pieces), [&](std::int64_t i) {
    const auto piece = static_cast<std::size_t>(i);
    const auto begin = piece * count / pieces;
    prefill_range(Exec{}, scratch_[piece],
                  prompts.subspan(begin, (piece + 1) * count / pieces - begin), requests);
  });
}

void Runner::copy(std::span<const KvCopy> copies) {
  if (copies.empty()) return;
  const KvCopy* staged = nullptr;
  copies_.add(copies, staged);
  copies_.send(*decoder_->ops().memory);
  for (Index l = 0; l < decoder_->config().num_hidden_layers; ++l)
    decoder_->ops().kv_copy(exec_, cache_.layer(l), staged, static_cast<Index>(copies.size()));
}

void Runner::sample(const Exec& exec, const float* hidden, Scratch& scratch,
                    std::span<Sequence* const> sequences, std::span<DrawnToken> drawn) const {
  const SamplingParams& params = *params_;
  const std::size_t n = sequences.size();
  const bool greedy = params.temperature == 0.0;
  std::vector<double> uniforms(greedy ? 0 : n);
  for (std::size_t i = 0; i < uniforms.size(); ++i)
    uniforms[i] = uniform({params.seed, params.purpose, params.stage, sequences[i]->ordinal,
                           static_cast<std::uint64_t>(sequences[i]->sample),
                           static_cast<std::uint64_t>(sequences[i]->completion->length())});
  std::vector<std::int64_t> ids(n);
  std::vector<float> logprobs(n);
  std::vector<float> entropies(n);
  HeadSample task{};
  task.h = hidden;
  task.w = weights_->edges().head;
  const Memory& memory = *decoder_->ops().memory;
  if (!greedy) scratch.head.add(std::span<const double>(uniforms), task.uniforms);
  scratch.head.send(memory);
  scratch.drawn.add(std::span(ids), task.ids);
  scratch.drawn.add(std::span(logprobs), task.logprobs);
  scratch.drawn.add(std::span(entropies), task.entropies);
  scratch.drawn.prepare(memory);
  task.M = static_cast<Index>(n);
  task.C = decoder_->config().hidden_size;
  task.V = vocabulary_;
  task.inv_temperature = greedy ? 1.0F : static_cast<float>(1.0 / params.temperature);
  task.top_k = params.top_k;
  task.top_p = static_cast<float>(params.top_p);
  task.min_p = static_cast<float>(params.min_p);
  decoder_->ops().head_sample(exec, task);
  scratch.drawn.receive(memory);
  for (std::size_t i = 0; i < n; ++i)
    drawn[i] = {ids[i], logprobs[i], entropies[i]};
}

Drawing Runner::first_tokens(std::span<Sequence* const> sequences) {
  const Index width = decoder_->config().hidden_size;
  const auto rows = static_cast<Index>(sequences.size());
  std::vector<TokenId> places;
  for (auto* s : sequences) {
    places.push_back(s->prompt->place);
    s->asked = 1;
  }
  const TokenId* staged = nullptr;
  places_.add(std::span<const TokenId>(places), staged);
  places_.send(*decoder_->ops().memory);
  float* hidden = scratch_[0].hidden.reserve(rows * width, *decoder_->ops().memory);
  decoder_->ops().embed(exec_, {prompt_rows_.data()}, staged, rows, width, hidden);
  if (device_ != nullptr) return device_->first_tokens(sequences, hidden);
  Drawing drawing{{sequences.begin(), sequences.end()}, 1, {}};
  drawing.tokens.resize(sequences.size());
  sample(exec_, hidden, scratch_[0], sequences, drawing.tokens);
  return drawing;
}

void Runner::decode_range(const Exec& exec, Scratch& scratch, std::span<Sequence* const> sequences,
                          std::span<DrawnToken> drawn) {
  std::vector<TokenId> ids;
  std::vector<std::int32_t> positions;
  std::vector<const std::int32_t*> tables;
  for (auto* s : sequences) {
    ids.push_back(s->completion->ids.back());
    positions.push_back(s->position++);
    tables.push_back(s->table.data());
  }
  const float* hidden =
      decoder_->forward(exec, *weights_, {ids, positions, tables, {}, {}}, cache_, scratch);
  sample(exec, hidden, scratch, sequences, drawn);
}

Drawing Runner::next_tokens(std::span<Sequence* const> sequences) {
  for (auto* s : sequences)
    s->asked += device_ != nullptr ? DeviceSteps::kSteps : 1;
  if (device_ != nullptr) return device_->next_tokens(sequences);
  Drawing drawing{{sequences.begin(), sequences.end()}, 1, {}};
  drawing.tokens.resize(sequences.size());
  const auto rows = static_cast<std::int64_t>(sequences.size());
  const std::int64_t pieces = pieces_for(rows);
  if (pieces <= 1) {
    const bool team =
        static_cast<double>(rows) * block_flop_per_row(decoder_->config()) > kFlopWorthATeam;
    decode_range(team ? exec_ : Exec{}, scratch_[0], sequences, drawing.tokens);
    return drawing;
  }
  exec_.run(pieces, [&](std::int64_t piece) {
    const auto begin = static_cast<std::size_t>(piece * rows / pieces);
    const auto end = static_cast<std::size_t>((piece + 1) * rows / pieces);
    decode_range(Exec{}, scratch_[static_cast<std::size_t>(piece)],
                 sequences.subspan(begin, end - begin),
                 std::span(drawing.tokens).subspan(begin, end - begin));
  });
  return drawing;
}

}  // namespace aha

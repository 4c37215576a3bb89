#include "trainer/checkpoint/optimizer_files.h"

#include <ATen/ops/zeros.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "trainer/core/error.h"
#include "trainer/model/safetensors.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kState = "state";
constexpr std::string_view kMaster = "master";
constexpr std::array<const char*, 2> kMoments{"exp_avg.", "exp_avg_sq."};

/// Elements [begin, end) of a parameter.
struct Piece {
  const Parameter* parameter;
  std::int64_t begin, end;

  std::int64_t size() const { return end - begin; }
  bool whole() const { return size() == parameter->size; }
  std::string name() const {
    return whole() ? parameter->name : fmt::format("{}[{}:{}]", parameter->name, begin, end);
  }
  std::vector<std::int64_t> shape() const {
    return whole() ? parameter->shape : std::vector<std::int64_t>{size()};
  }
};

/// What a slice of the flat buffers holds of trainable parameters.
std::vector<Piece> pieces_in(const ParameterLayout& layout, Slice slice) {
  std::vector<Piece> pieces;
  for (const auto& p : layout.parameters) {
    const auto begin = std::max(p.offset, slice.begin) - p.offset;
    const auto end = std::min(p.offset + p.size, slice.end) - p.offset;
    if (p.trainable && begin < end) pieces.push_back({&p, begin, end});
  }
  return pieces;
}

/// A piece's place in a buffer of the slice.
std::span<const float> part(const Tensor& buffer, Slice slice, const Piece& piece) {
  return {buffer.const_data_ptr<float>() + piece.parameter->offset + piece.begin - slice.begin,
          static_cast<std::size_t>(piece.size())};
}

std::span<float> part(Tensor& buffer, Slice slice, const Piece& piece) {
  return {buffer.mutable_data_ptr<float>() + piece.parameter->offset + piece.begin - slice.begin,
          static_cast<std::size_t>(piece.size())};
}

/// Slices at the end are empty where the model is small.
std::size_t files_of(const std::vector<Slice>& slices) {
  return static_cast<std::size_t>(
      std::count_if(slices.begin(), slices.end(), [](const Slice& s) { return s.size() > 0; }));
}

/// A piece of a parameter as a file has it.
struct StoredPiece {
  std::int64_t begin, end;
  std::string name;
  const SafetensorsFile* file;
};

/// "NAME[12:34]" -> [12, 34); nothing for another form.
std::optional<Slice> range_in(std::string_view name, std::string_view parameter) {
  name.remove_prefix(parameter.size() + 1);
  Slice range;
  const char* const last = name.data() + name.size();
  const auto first = std::from_chars(name.data(), last, range.begin);
  if (first.ec != std::errc() || first.ptr == last || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, last, range.end);
  if (second.ec != std::errc() || last - second.ptr != 1 || *second.ptr != ']') return std::nullopt;
  if (range.begin < 0 || range.end <= range.begin) return std::nullopt;
  return range;
}

/// The pieces of a tensor in their order, proved to be all of it.
std::vector<StoredPiece> stored_pieces(const ModelTensors& stored, const std::string& name,
                                       const Parameter& p) {
  const auto& files = stored.files();
  if (const auto whole = files.find(name); whole != files.end()) {
    const auto& shape = whole->second->find(name)->shape;
    if (shape != p.shape)
      fail("{}: tensor '{}' has shape [{}], expected [{}]", whole->second->path().string(), name,
           fmt::join(shape, ", "), fmt::join(p.shape, ", "));
    return {{0, p.size, name, whole->second}};
  }
  std::vector<StoredPiece> pieces;
  for (auto at = files.lower_bound(name + "["); at != files.end(); ++at) {
    if (!at->first.starts_with(name + "[")) break;
    const auto range = range_in(at->first, name);
    const auto& shape = at->second->find(at->first)->shape;
    if (!range || shape != std::vector<std::int64_t>{range->size()})
      fail("{}: tensor '{}' has shape [{}], which is not its range", at->second->path().string(),
           at->first, fmt::join(shape, ", "));
    pieces.push_back({range->begin, range->end, at->first, at->second});
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const StoredPiece& a, const StoredPiece& b) { return a.begin < b.begin; });
  std::int64_t end = 0;
  for (const auto& piece : pieces)
    end = piece.begin == end ? piece.end : -1;
  if (pieces.empty() || end != p.size)
    fail("{}: tensor '{}' is missing, or its pieces are not all of it", stored.path().string(),
         name);
  return pieces;
}

/// Reads a piece of a tensor from whatever pieces it was written in.
void read_piece(const ModelTensors& stored, const std::string& prefix, const Piece& wanted,
                std::span<float> out) {
  for (const auto& piece :
       stored_pieces(stored, prefix + wanted.parameter->name, *wanted.parameter)) {
    const auto begin = std::max(piece.begin, wanted.begin);
    const auto end = std::min(piece.end, wanted.end);
    if (begin >= end) continue;
    piece.file->read_part(piece.name, begin - piece.begin,
                          out.subspan(static_cast<std::size_t>(begin - wanted.begin),
                                      static_cast<std::size_t>(end - begin)));
  }
}

}  // namespace

Checksums write_optimizer_shard(const fs::path& folder, const ParameterLayout& layout,
                                const OptimizerShard& shard) {
  const Slice own = shard.own();
  Checksums checksums;
  if (own.size() == 0) return checksums;
  std::vector<NamedTensor> moments;
  std::vector<NamedTensor> master;
  for (const auto& piece : pieces_in(layout, own)) {
    const std::array<const Tensor*, 2> buffers{&shard.moments.exp_avg, &shard.moments.exp_avg_sq};
    for (std::size_t kind = 0; kind < buffers.size(); ++kind)
      moments.push_back(
          {kMoments[kind] + piece.name(), piece.shape(), part(*buffers[kind], own, piece)});
    if (shard.master.defined())
      master.push_back({piece.name(), piece.shape(), part(shard.master, own, piece)});
  }
  const auto write = [&](std::string_view stem, const std::vector<NamedTensor>& tensors) {
    const auto name = shard_name(stem, shard.rank, files_of(shard.slices));
    checksums.add(name, write_safetensors(folder / name, tensors));
  };
  write(kState, moments);
  if (shard.master.defined()) write(kMaster, master);
  return checksums;
}

Checksums write_optimizer_index(const fs::path& folder, const ParameterLayout& layout,
                                const std::vector<Slice>& slices, bool master) {
  Checksums checksums;
  const auto files = files_of(slices);
  if (files == 1) return checksums;
  std::map<std::string, std::string> state_files, master_files;
  std::int64_t elements = 0;
  for (std::size_t rank = 0; rank < files; ++rank)
    for (const auto& piece : pieces_in(layout, slices[rank])) {
      for (const auto* kind : kMoments)
        state_files[kind + piece.name()] = shard_name(kState, rank, files);
      master_files[piece.name()] = shard_name(kMaster, rank, files);
      elements += piece.size();
    }
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(float));
  checksums.add(write_shard_index(folder, kState, 2 * kWidth * elements, state_files));
  if (master) checksums.add(write_shard_index(folder, kMaster, kWidth * elements, master_files));
  return checksums;
}

Moments read_moments(const fs::path& folder, const ParameterLayout& layout, Slice own) {
  Moments moments{at::zeros({own.size()}, at::kFloat), at::zeros({own.size()}, at::kFloat)};
  const ModelTensors stored(folder, std::string(kState));
  for (const auto& piece : pieces_in(layout, own)) {
    read_piece(stored, kMoments[0], piece, part(moments.exp_avg, own, piece));
    read_piece(stored, kMoments[1], piece, part(moments.exp_avg_sq, own, piece));
  }
  return moments;
}

bool read_master(const fs::path& folder, const ParameterLayout& layout, Slice own, Tensor& values) {
  std::error_code error;
  const bool there = fs::exists(folder / "master.safetensors", error) ||
                     fs::exists(folder / "master.safetensors.index.json", error);
  if (!there) return false;
  const ModelTensors stored(folder, std::string(kMaster));
  for (const auto& piece : pieces_in(layout, own))
    read_piece(stored, "", piece, part(values, own, piece));
  return true;
}

}  // namespace aha

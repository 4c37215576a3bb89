// How a micro-batch is cut into pieces, and which memory each gets.
#include <algorithm>
#include <functional>
#include <utility>

#include "trainer/run/learner.h"

namespace aha {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

RowBatch Learner::Piece::batch(const MicroBatch& micro) const {
  const auto rows = at(end_row - first_row);
  RowBatch batch{std::span(micro.ids).subspan(at(first_row), rows),
                 std::span(micro.positions).subspan(at(first_row), rows), row_tables, copies,
                 section_starts};
  batch.num_blocks = num_blocks;
  return batch;
}

Learner::Piece& Learner::next_piece(std::size_t index) {
  if (index == pieces_.size()) pieces_.push_back(std::make_unique<Piece>(empty_activations()));
  Piece& piece = *pieces_[index];
  piece.section_starts.assign(1, 0);
  piece.copies.clear();
  piece.tables.clear();
  piece.row_tables.clear();
  return piece;
}

/// Sections own ranges of blocks that ascend with them, and so do their copies and loss tokens.
void Learner::cut(const MicroBatch& micro) {
  const auto sections = static_cast<Index>(micro.section_starts.size()) - 1;
  const auto first_block = [&](Index section) {
    return section < sections ? micro.tables[at(micro.section_starts[at(section)])][0]
                              : static_cast<std::int32_t>(micro.num_blocks);
  };
  num_pieces_ = 0;
  std::size_t copy = 0;
  std::size_t sequence = 0;
  Index token = 0;
  for (Index section = 0; section < sections;) {
    Piece& piece = next_piece(num_pieces_++);
    const std::int32_t base = first_block(section);
    piece.first_row = micro.section_starts[at(section)];
    do {
      piece.end_row = micro.section_starts[at(++section)];
      piece.section_starts.push_back(piece.end_row - piece.first_row);
    } while (section < sections &&
             micro.section_starts[at(section) + 1] - piece.first_row <= rows_wanted_);
    const std::int32_t end = first_block(section);
    piece.num_blocks = end - base;
    for (; copy < micro.copies.size() && micro.copies[copy].from < end; ++copy) {
      const auto& c = micro.copies[copy];
      piece.copies.push_back({c.from - base, c.to - base, c.lanes});
    }
    piece.first_token = token;
    while (token < micro.tokens() && micro.loss_rows[at(token)] < piece.end_row)
      ++token;
    piece.end_token = token;
    piece.loss_rows.clear();
    for (Index t = piece.first_token; t < token; ++t)
      piece.loss_rows.push_back(micro.loss_rows[at(t)] - piece.first_row);
    const std::int32_t* last = nullptr;
    for (Index row = piece.first_row; row < piece.end_row; ++row) {
      const std::int32_t* table = micro.tables[at(row)];
      if (table != last) {
        while (micro.table_storage[sequence].data() != table)
          ++sequence;
        auto& own = piece.tables.emplace_back(micro.table_storage[sequence]);
        for (auto& block : own)
          block -= base;
        last = table;
      }
      piece.row_tables.push_back(piece.tables.back().data());
    }
  }
}

/// Memory only grows, and the lengths of answers drift: large pieces get what large ones had, and when all have grown
/// too much it is given back.
void Learner::share_memory(Index rows) {
  std::vector<std::pair<Index, Piece*>> order;
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    order.emplace_back(i < num_pieces_ ? pieces_[i]->end_row - pieces_[i]->first_row : 0,
                       pieces_[i].get());
  std::sort(order.begin(), order.end(), std::greater<>());
  Index room = 0;
  for (auto next = order.begin(); next != order.end(); ++next) {
    const auto largest = std::max_element(next, order.end(), [](const auto& a, const auto& b) {
      return a.second->room < b.second->room;
    });
    std::swap(next->second->kept, largest->second->kept);
    std::swap(next->second->room, largest->second->room);
    room += next->second->room = std::max(next->second->room, next->first);
  }
  most_rows_ = std::max(most_rows_, rows);
  if (static_cast<double>(room) <= kMostGrowth * static_cast<double>(most_rows_)) return;
  for (const auto& [own, piece] : order) {
    piece->kept = empty_activations();
    piece->room = own;
  }
}

}  // namespace aha

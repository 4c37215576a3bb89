#pragma once
#include <vector>

#include "data/tokenizer/component.h"
#include "trainer/core/types/prompt.h"

namespace aha {

/// What `post_processor` puts around the ids of a text: begin and end tokens, mostly.
class PostProcessor {
 public:
  PostProcessor() = default;
  /// null: nothing. UserError for a type we do not have.
  explicit PostProcessor(const Component& component);

  std::vector<TokenId> apply(const std::vector<TokenId>& ids) const;

  /// UserError naming an id that the vocabulary of `size` ids does not have.
  void check_ids(std::int64_t size, const std::string& where) const;

 private:
  /// Ids, or the text where there are none.
  using Piece = std::vector<TokenId>;

  void add(const Component& component);
  void set(std::vector<Piece> pieces, const Component& component);
  void read_template(const Component& component);

  std::vector<Piece> pieces_;
  bool has_pieces_ = false;
};

}  // namespace aha

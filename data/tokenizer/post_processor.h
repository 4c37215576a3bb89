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

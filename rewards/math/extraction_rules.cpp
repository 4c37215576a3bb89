#include <array>

#include "rewards/math/extraction.h"

namespace aha::math {

std::span<const ExtractionRule> extraction_rules() {
  static constexpr std::array kRules = {
      ExtractionRule{"auto", Extraction::Auto},
      ExtractionRule{"boxed", Extraction::Boxed},
      ExtractionRule{"answer_tag", Extraction::AnswerTag},
      ExtractionRule{"hash", Extraction::Hash},
      ExtractionRule{"final_answer", Extraction::FinalAnswer},
      ExtractionRule{"last", Extraction::Last},
      ExtractionRule{"whole", Extraction::Whole},
      ExtractionRule{"answer_line", Extraction::AnswerLine},
      ExtractionRule{"choice", Extraction::Choice},
      ExtractionRule{"code_block", Extraction::CodeBlock},
      ExtractionRule{"hendrycks_math", Extraction::Boxed},
      ExtractionRule{"qwen_math", Extraction::Boxed},
      ExtractionRule{"gsm8k", Extraction::Hash},
      ExtractionRule{"minerva", Extraction::FinalAnswer},
      ExtractionRule{"dapo", Extraction::AnswerLine},
      ExtractionRule{"simple_evals", Extraction::AnswerLine},
      ExtractionRule{"open_reasoner_zero", Extraction::AnswerTag},
      ExtractionRule{"oat", Extraction::AnswerTag},
      ExtractionRule{"mmlu", Extraction::Choice},
  };
  return kRules;
}

}  // namespace aha::math

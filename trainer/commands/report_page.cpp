#include "trainer/commands/report_page.h"

#include <chrono>
#include <ctime>
#include <memory>

#include "data/tokenizer/text_stream.h"
#include "trainer/core/error.h"
#include "trainer/report/page.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> token_texts(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
  TextStream stream(tokenizer);
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const auto id : ids)
    texts.push_back(stream.push(id));
  if (!texts.empty()) texts.back() += stream.finish();
  return texts;
}

TokenTexts token_texts_of(const fs::path& run, std::vector<std::string>& notes) {
  std::error_code error;
  if (!fs::exists(run / "latest", error)) return {};
  try {
    const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(run / "latest");
    return [tokenizer](std::span<const TokenId> ids) { return token_texts(*tokenizer, ids); };
  } catch (const UserError& failure) {
    notes.push_back(fmt::format("tokens cannot be shown: {}", failure.what()));
    return {};
  }
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return {text, size};
}

}  // namespace

std::string report_page(const std::vector<std::string>& runs) {
  PageInputs inputs;
  inputs.made = now_text();
  for (const auto& run : runs)
    inputs.runs.push_back(read_record(run));
  name_apart(inputs.runs);
  SampleLimits limits;
  limits.most /= runs.size();
  limits.text_bytes /= runs.size();
  for (auto& run : inputs.runs) {
    inputs.samples.push_back(read_samples(run, limits, token_texts_of(run.path, run.notes)));
    limits.whole_bytes -= inputs.samples.back().whole_bytes;
  }
  return html_page(inputs);
}

}  // namespace aha

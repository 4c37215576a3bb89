#include "trainer/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "trainer/core/text.h"
#include "trainer/report/settings.h"
#include "trainer/report/verdict.h"

namespace aha {
namespace {

/// Text that Markdown and the HTML in it leave alone, in one cell of a table.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (c == '<' || c == '>' || c == '&') {
      out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
      continue;
    }
    if (std::string_view("\\`*_[]|#!~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

const char* mood_word(Mood mood) {
  constexpr const char* kWords[] = {"good", "", "watch", "bad", "no data"};
  return kWords[static_cast<std::size_t>(mood)];
}

void put_row(std::string& text, const StageRecord& stage, const char* name, const std::string& key,
             int digits) {
  const Series* series = stage.find(key);
  if (series == nullptr) return;
  text += fmt::format("| {} | {:.{}f} | {:.{}f} |\n", name, series->first(), digits, series->last(),
                      digits);
}

/// First and last evaluation.
std::string before_and_after(const StageRecord& stage) {
  const Series* accuracy = stage.find("eval_accuracy");
  if (accuracy == nullptr) return "";
  std::string text =
      fmt::format("| held out | step {:.0f} | step {:.0f} |\n| --- | ---: | ---: |\n",
                  accuracy->steps.front(), accuracy->steps.back());
  put_row(text, stage, "accuracy", "eval_accuracy", 3);
  put_row(text, stage, "greedy accuracy", "eval_greedy_accuracy", 3);
  put_row(text, stage, "mean length, tokens", "eval_completions/mean_length", 1);
  put_row(text, stage, "reflective words a completion", "eval_reflection/per_completion", 2);
  put_row(text, stage, "`wait`s a completion", "eval_reflection/wait", 2);
  put_row(text, stage, "verification gap", "eval_verification_gap", 2);
  put_row(text, stage, "truncated", "eval_completions/clipped_ratio", 3);
  return text + '\n';
}

std::string run_section(const RunRecord& run) {
  const Verdict verdict = verdict_of(run);
  std::string text = fmt::format("## {}\n\n**{}**\n\n", plain(run.name), plain(verdict.headline));
  if (const StageRecord* stage = run.main_stage()) text += before_and_after(*stage);
  if (!verdict.statements.empty()) {
    text += "| | verdict | numbers |\n| --- | --- | --- |\n";
    for (const auto& s : verdict.statements)
      text +=
          fmt::format("| {} | {} | {} |\n", mood_word(s.mood), plain(s.claim), plain(s.because));
    text += '\n';
  }
  for (const auto& fact : facts_json(run))
    text += fmt::format("- {}: {}\n", plain(fact[0].get<std::string>()),
                        plain(fact[1].get<std::string>()));
  for (const auto& note : run.notes)
    text += fmt::format("- missing: {}\n", plain(note));
  return text + '\n';
}

/// A file's name as the target of a link: in angle brackets where it has more than plain characters.
std::string link_target(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/';
  });
  if (is_plain) return name;
  std::string out = "<";
  for (const char c : name) {
    if (c == '<' || c == '>' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + '>';
}

}  // namespace

std::string markdown_report(std::span<const RunRecord> runs, const std::string& picture) {
  std::string text;
  for (const auto& run : runs)
    text += run_section(run);
  if (!picture.empty()) text += fmt::format("![curves]({})\n", link_target(picture));
  return text;
}

}  // namespace aha

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "trainer/report/encode.h"
#include "trainer/report/markdown.h"

namespace aha {
namespace {

/// {title, key} of the six small pictures.
constexpr auto kPictures = std::to_array<std::pair<const char*, const char*>>({
    {"held-out accuracy", "eval_accuracy"},
    {"length, tokens", "completions/mean_length"},
    {"reflective words a completion", "reflection/per_completion"},
    {"reward", "reward"},
    {"entropy, nats", "entropy"},
    {"groups without variance", "frac_reward_zero_std"},
});
constexpr double kWidth = 230, kHeight = 130, kGap = 30, kSide = 50, kColumns = 3, kLegend = 16;
/// Okabe and Ito's colours.
constexpr std::array<const char*, 6> kColours = {"#0072b2", "#d55e00", "#009e73",
                                                 "#cc79a7", "#e69f00", "#56b4e9"};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  double share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

const Series* series_of(const RunRecord& run, const char* key) {
  const StageRecord* stage = run.main_stage();
  return stage == nullptr ? nullptr : stage->find(key);
}

std::string curve(const Series& series, const Range& x, const Range& y, const char* colour) {
  std::string points;
  const Series shown = downsampled(series, static_cast<std::size_t>(kWidth));
  for (std::size_t i = 0; i < shown.size(); ++i)
    points += fmt::format("{:.1f},{:.1f} ", x.share(shown.steps[i]) * kWidth,
                          (1 - y.share(shown.values[i])) * kHeight);
  return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"{}\"/>\n",
                     colour, points);
}

std::string picture(std::span<const RunRecord> runs, const char* title, const char* key) {
  Range x, y;
  for (const auto& run : runs)
    if (const Series* series = series_of(run, key))
      for (std::size_t i = 0; i < series->size(); ++i) {
        x.add(series->steps[i]);
        y.add(series->values[i]);
      }
  std::string svg = fmt::format("<text y=\"-5\" font-weight=\"bold\">{}</text>\n", title);
  svg += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#bbb\"/>\n", kWidth,
                     kHeight);
  if (!(x.high >= x.low))
    return svg +
           fmt::format("<text x=\"8\" y=\"{}\" fill=\"#666\">not recorded</text>\n", kHeight / 2);
  for (std::size_t r = 0; r < runs.size(); ++r)
    if (const Series* series = series_of(runs[r], key))
      svg += curve(*series, x, y, kColours[r % kColours.size()]);
  const auto label = [&](double at_x, double at_y, const char* anchor, double value) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" fill=\"#555\">{:.3g}</text>\n",
                       at_x, at_y, anchor, value);
  };
  label(kWidth + 3, 9, "start", y.high);
  label(kWidth + 3, kHeight, "start", y.low);
  label(0, kHeight + 12, "start", x.low);
  label(kWidth, kHeight + 12, "end", x.high);
  return svg;
}

}  // namespace

std::string svg_curves(std::span<const RunRecord> runs) {
  const double rows = std::ceil(static_cast<double>(kPictures.size()) / kColumns);
  const double width = kColumns * (kWidth + kSide) + kGap;
  const double below = rows * (kHeight + 2 * kGap);
  const double height = below + kLegend * static_cast<double>(runs.size()) + kGap;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#fff\"/>\n",
      width, height);
  for (std::size_t i = 0; i < kPictures.size(); ++i) {
    const auto column = std::fmod(static_cast<double>(i), kColumns);
    const auto row = std::floor(static_cast<double>(i) / kColumns);
    svg += fmt::format("<g transform=\"translate({},{})\">\n{}</g>\n",
                       kGap + column * (kWidth + kSide), kGap + row * (kHeight + 2 * kGap),
                       picture(runs, kPictures[i].first, kPictures[i].second));
  }
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const double y = below + kLegend * static_cast<double>(r + 1);
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"3\" fill=\"{}\"/><text x=\"{}\" "
        "y=\"{}\">{}</text>\n",
        kGap, y - 5, kColours[r % kColours.size()], kGap + 24, y, html_escaped(runs[r].name));
  }
  return svg + "</svg>\n";
}

}  // namespace aha

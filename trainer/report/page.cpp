#include "trainer/report/page.h"

#include <fmt/format.h>

#include <map>

#include "trainer/core/error.h"
#include "trainer/core/version.h"
#include "trainer/report/charts.h"
#include "trainer/report/encode.h"
#include "trainer/report/page_files.h"
#include "trainer/report/settings.h"
#include "trainer/report/verdict.h"

namespace aha {
namespace {

/// What a page may have, long texts included: a mail takes it.
constexpr std::size_t kMostBytes = 29'000'000;

/// Points of a curve: two for each of the pixels that a wide chart has.
constexpr std::size_t kPoints = 1200;

using Curves = std::map<const Series*, Curve>;

/// Curves of one stage and metric are thinned together, so that seeds are compared step by step.
Curves curves_of(std::span<const RunRecord> runs) {
  std::map<std::pair<std::string, std::string>, std::vector<const Series*>> alike;
  for (const auto& run : runs)
    for (const auto& stage : run.stages)
      for (const auto& [key, series] : stage.series)
        if (!series.empty()) alike[{stage.name, key}].push_back(&series);
  Curves curves;
  for (const auto& [name, list] : alike) {
    auto shown = thinned(list, kPoints);
    for (std::size_t i = 0; i < list.size(); ++i)
      curves.emplace(list[i], std::move(shown[i]));
  }
  return curves;
}

OrderedJson curve_json(const Curve& curve) {
  OrderedJson json{{"x", curve.shown.steps}, {"y", curve.shown.values}, {"n", curve.recorded}};
  if (curve.recorded > curve.shown.size()) {
    json["m"] = curve.means;
    json["c"] = curve.counts;
  }
  return json;
}

OrderedJson stages_json(const RunRecord& run, const Curves& curves) {
  auto list = OrderedJson::array();
  for (const auto& stage : run.stages) {
    OrderedJson entry{{"name", stage.name}, {"steps", stage.steps()}};
    auto& series = entry["series"] = OrderedJson::object();
    for (const auto& [key, values] : stage.series)
      if (!values.empty()) series[key] = curve_json(curves.at(&values));
    list.push_back(std::move(entry));
  }
  return list;
}

OrderedJson verdict_json(const RunRecord& run) {
  const Verdict verdict = verdict_of(run);
  OrderedJson json{{"headline", verdict.headline}, {"mood", mood_name(verdict.mood)}};
  auto& list = json["statements"] = OrderedJson::array();
  for (const auto& s : verdict.statements)
    list.push_back({{"mood", mood_name(s.mood)},
                    {"claim", s.claim},
                    {"because", s.because},
                    {"chart", s.chart}});
  return json;
}

OrderedJson run_json(const RunRecord& run, const SampleSet& samples, const Curves& curves) {
  OrderedJson json{{"name", run.name}, {"path", run.path.string()}, {"software", run.software}};
  auto notes = run.notes;
  notes.insert(notes.end(), samples.notes.begin(), samples.notes.end());
  json["notes"] = notes;
  json["facts"] = facts_json(run);
  json["plan"] = run.plan;
  json["settings"] = settings_json(run);
  json["seedless"] = settings_without_seed(run);
  const StageRecord* main = run.main_stage();
  json["main"] = main == nullptr ? OrderedJson(nullptr) : OrderedJson(main - run.stages.data());
  json["stages"] = stages_json(run, curves);
  json["verdict"] = verdict_json(run);
  json["words"] = reflection_words(run);
  return json;
}

OrderedJson charts_json(std::span<const RunRecord> runs) {
  auto list = OrderedJson::array();
  for (const auto& chart : chart_table()) {
    const auto keys = chart_keys(chart, runs);
    list.push_back({{"id", chart.id},
                    {"title", chart.title},
                    {"unit", chart.unit},
                    {"says", chart.says},
                    {"keys", keys}});
  }
  return list;
}

OrderedJson samples_json(const SampleSet& set) {
  const auto index = [](std::optional<std::size_t> at) {
    return at ? OrderedJson(*at) : OrderedJson(nullptr);
  };
  return {{"recorded", set.recorded},
          {"first_aha", index(set.first_aha)},
          {"learnt_aha", index(set.learnt_aha)},
          {"prompts", set.prompts},
          {"rows", set.rows}};
}

/// A block that no browser runs: data for the script.
std::string packed_block(const std::string& id, const std::string& data) {
  return fmt::format("<script type=\"application/x-deflate\" id=\"{}\">{}</script>\n", id, data);
}

/// Long texts, as far as the page has room; of the others the script says where they are.
void put_wholes(std::span<const SampleSet> samples, std::size_t most, std::string& page) {
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (std::size_t k = 0; k < samples[i].wholes.size(); ++k) {
      const auto block = packed_block(fmt::format("whole-{}-{}", i, k), samples[i].wholes[k]);
      if (page.size() + block.size() <= most) page += block;
    }
}

std::string policy() {
  const auto hash = [](std::string_view name) {
    return "'" + csp_source(page_file(name).sha256) + "'";
  };
  return "default-src 'none'; script-src " + hash("dygraphs_script") + " " + hash("script") +
         "; style-src " + hash("dygraphs_style") + " " + hash("style") +
         "; base-uri 'none'; form-action 'none'";
}

}  // namespace

std::string html_page(const PageInputs& inputs) {
  check(inputs.runs.size() == inputs.samples.size(), "a page has samples, if none, for each run");
  OrderedJson data{{"version", kVersion}, {"made", inputs.made}};
  data["charts"] = charts_json(inputs.runs);
  data["rules"] = verdict_rules();
  const Curves curves = curves_of(inputs.runs);
  auto& runs = data["runs"] = OrderedJson::array();
  std::string title;
  for (std::size_t i = 0; i < inputs.runs.size(); ++i) {
    runs.push_back(run_json(inputs.runs[i], inputs.samples[i], curves));
    title += (i == 0 ? "" : ", ") + inputs.runs[i].name;
  }
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy());
  page +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
      "name=\"referrer\" content=\"no-referrer\">\n";
  page += fmt::format("<title>{} - aha report</title>\n", html_escaped(title));
  page += fmt::format("<!--\nCurves are drawn by dygraphs:\n{}-->\n",
                      page_file("dygraphs_licence").text);
  page += fmt::format("<style>{}</style>\n<style>{}</style>\n</head>\n",
                      page_file("dygraphs_style").text, page_file("style").text);
  page += page_file("body").text;
  page += packed_block("data", packed(dump_line(data)));
  for (std::size_t i = 0; i < inputs.samples.size(); ++i)
    page += packed_block(fmt::format("samples-{}", i),
                         packed(dump_line(samples_json(inputs.samples[i]))));
  const std::string scripts =
      fmt::format("<script>{}</script>\n<script>{}</script>\n</body>\n</html>\n",
                  page_file("dygraphs_script").text, page_file("script").text);
  put_wholes(inputs.samples, kMostBytes - scripts.size(), page);
  page += scripts;
  return page;
}

}  // namespace aha

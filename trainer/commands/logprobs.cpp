#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/run/learner.h"
#include "trainer/run/policy.h"

namespace aha {
namespace {

struct Arguments {
  std::string model;
  std::string file = "-";
  std::int64_t threads = 0;
  std::int64_t context = 0;
  std::string storage = "f32";
  std::string device = "auto";
};

std::vector<TokenId> read_ids(const Json& row, const std::string& where, const Policy& policy) {
  const auto found = row.find("ids");
  if (found == row.end() || !found->is_array()) fail("{}: 'ids' is missing or no list", where);
  std::vector<TokenId> ids;
  for (const auto& id : *found) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= policy.config.vocab_size)
      fail("{}: {} is no id of this model, whose ids are 0 to {}", where, dump_line(id),
           policy.config.vocab_size - 1);
    ids.push_back(id.get<TokenId>());
  }
  if (ids.size() < 2) fail("{}: 'ids' needs at least 2 entries", where);
  if (static_cast<std::int64_t>(ids.size()) - 1 > policy.config.positions())
    fail("{}: {} ids, the model has {}", where, ids.size(), positions_text(policy.config));
  return ids;
}

int logprobs(const Arguments& a) {
  const Machine machine(a.threads, device_ops(a.device));
  Policy policy = load_policy(
      a.model, machine,
      {.need_tokenizer = false, .context = a.context, .storage = storage_type(a.storage)});
  Learner learner(*policy.decoder, machine.exec, policy.config.vocab_size, 1.0);
  for_each_row(a.file, [&](Json&& row, const std::string& where) {
    const auto ids = read_ids(row, where, policy);
    Group group;
    group.prompt.ids = {ids.front()};
    group.completions.emplace_back().ids.assign(ids.begin() + 1, ids.end());
    const Section section{0, {0}};
    const auto values =
        learner.logprobs(*policy.weights, pack(std::span(&group, 1), std::span(&section, 1)));
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
      fail("{}: a log-probability is not finite: the weights hold NaN or Inf, or lead there",
           where);
    OrderedJson out = OrderedJson::parse(dump_line(row));
    out["logprobs"] = values;
    std::cout << dump_line(out) << '\n';
  });
  return 0;
}

}  // namespace

void add_logprobs(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "logprobs", "log-probabilities of given ids: {\"ids\":[..]} gives \"logprobs\" of ids[1:]");
  auto a = std::make_shared<Arguments>();
  command->add_option("--model", a->model, "model folder or checkpoint; needs no tokenizer")
      ->required();
  command->add_option("file", a->file, "JSONL; - is standard input")->capture_default_str();
  command->add_option("--context", a->context, kContextHelp)->capture_default_str();
  add_storage_option(*command, a->storage);
  add_device_option(*command, a->device);
  command->add_option("--threads", a->threads, "0: all cores")->capture_default_str();
  command->callback([&action, a] { action = [a] { return logprobs(*a); }; });
}

}  // namespace aha

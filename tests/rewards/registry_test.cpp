#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("registry: every reward is made with its defaults and has a line of help", "[registry]") {
  const auto help = reward_help();
  for (const auto& info : reward_table()) {
    INFO(info.name);
    if (info.name == "command" || info.name == "http")  // there is no default of what to ask
      CHECK_THAT(error_of([&] { make_reward(info.name); }), contains(" is '', expected "));
    else
      CHECK(make_reward(info.name) != nullptr);
    CHECK_THAT(help, contains(info.name));
    for (const auto& option : info.options)
      CHECK_THAT(help, contains(std::string(option.name) + "=" + option.fallback));
  }
  for (const char* name : {"countdown", "countdown_wait", "parity", "numeric"})
    CHECK(make_reward(name)->is_verifier());
  for (const char* name : {"format", "length", "soft_overlong", "repetition"})
    CHECK_FALSE(make_reward(name)->is_verifier());
}

TEST_CASE("registry: unknown names and options say what is nearest", "[registry]") {
  CHECK(error_of([] { make_reward("countdwn"); }) ==
        "unknown reward 'countdwn', the nearest is 'countdown'");
  CHECK_THAT(error_of([] { make_reward("zzzzzzzzz"); }), contains("known are countdown,"));
  CHECK(error_of([] {
          make_reward("soft_overlong", {{"cach", "1"}});
        }) == "reward 'soft_overlong': unknown option 'cach', the nearest is 'cache'");
  CHECK_THAT(error_of([] { make_reward("parity", {{"x", "1"}}); }), contains("it has none"));
  CHECK_THAT(error_of([] {
               make_reward("length", {{"max", "1.5"}});
             }),
             contains("option 'max' is '1.5', expected a whole number of at least 0"));
  CHECK_THAT(error_of([] {
               make_reward("length", {{"max", "99999999999999999999"}});
             }),
             contains("expected a whole number"));
  CHECK_THAT(error_of([] {
               make_reward("repetition", {{"max_penalty", "nan"}});
             }),
             contains("expected a number"));
  CHECK_THAT(error_of([] {
               make_reward("numeric", {{"extraction", "first"}});
             }),
             contains("expected one of last and answer_tag"));
}

TEST_CASE("registry: a spec is a name and options", "[registry]") {
  const auto plain = parse_reward_spec("countdown");
  CHECK(plain.name == "countdown");
  CHECK(plain.options.empty());
  const auto full = parse_reward_spec("soft_overlong:max=512,cache=64");
  CHECK(full.name == "soft_overlong");
  CHECK(full.options == std::map<std::string, std::string>{{"cache", "64"}, {"max", "512"}});
  CHECK(parse_reward_spec("a:b=c=d").options.at("b") == "c=d");
  CHECK_THAT(error_of([] { parse_reward_spec(""); }), contains("expected NAME[:key=value,...]"));
  CHECK_THAT(error_of([] { parse_reward_spec(":a=1"); }), contains("expected NAME"));
  CHECK_THAT(error_of([] { parse_reward_spec("a:"); }), contains("'' is not key=value"));
  CHECK_THAT(error_of([] { parse_reward_spec("a:b"); }), contains("'b' is not key=value"));
  CHECK_THAT(error_of([] { parse_reward_spec("a:b=1,b=2"); }), contains("'b' is given twice"));
}

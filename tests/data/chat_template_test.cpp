// Against what transformers renders: tests/golden/data/make_chat_golden.py.
#include "data/tokenizer/chat_template.h"

#include "tests/data/data_support.h"
#include "tests/support/catch.h"
#include "trainer/core/philox.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const OrderedJson& golden() {
  static const OrderedJson kGolden = parse_ordered_json(
      read_file(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/chat.json"), "chat.json");
  return kGolden;
}

std::string rendered(const std::string& source,
                     const OrderedJson& variables = OrderedJson::object(),
                     const OrderedJson& messages = OrderedJson::array()) {
  const auto special = golden()["special"].get<std::map<std::string, std::string>>();
  ChatOptions options;
  options.variables = variables;
  options.date = golden()["date"].get<std::string>();
  return ChatTemplate(source, "t", special).render(messages, options);
}

/// The text, or "refused: ...".
std::string outcome(const std::string& source, const OrderedJson& variables,
                    const OrderedJson& messages = OrderedJson::array()) {
  try {
    return rendered(source, variables, messages);
  } catch (const UserError& error) {
    return std::string("refused: ") + error.what();
  }
}

std::string error_in(const std::string& source) {
  return error_of([&] { rendered(source); });
}

const char* kTalk = R"([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])";

}  // namespace

TEST_CASE("chat template: conversations equal transformers'", "[chat][golden]") {
  std::int64_t refused = 0;
  for (const auto& test : golden()["cases"]) {
    const auto name = test["template"].get<std::string>();
    const auto talk = test["talk"].get<std::string>();
    CAPTURE(name, talk, test["variables"].dump());
    const auto got = outcome(golden()["templates"][name].get<std::string>(),
                             golden()["variables"][test["variables"].get<std::size_t>()],
                             golden()["talks"][talk]);
    if (test.contains("text")) {
      CHECK(got == test["text"].get<std::string>());
    } else {
      ++refused;
      CHECK_THAT(got,
                 contains("refused: t: line ") && contains(test["message"].get<std::string>()));
    }
  }
  CHECK(refused > 20);
}

TEST_CASE("chat template: small pieces mean what they mean in Jinja", "[chat][golden]") {
  for (const auto& test : golden()["snippets"]) {
    const auto source = test["source"].get<std::string>();
    CAPTURE(source);
    const auto got = outcome(source, golden()["data"]);
    if (test.contains("text"))
      CHECK(got == test["text"].get<std::string>());
    else
      CHECK_THAT(got, contains("refused: t: line "));
  }
}

TEST_CASE("chat template: an error names the construct and the line", "[chat]") {
  CHECK(error_in("a\n{% include 'x' %}") == "t: line 2: statement 'include' is not supported");
  CHECK(error_in("\n\n{{ 'a' | pprint }}") == "t: line 3: filter 'pprint' is not supported");
  CHECK(error_in("{{ 1 is strange }}") == "t: line 1: test 'strange' is not supported");
  CHECK(error_in("{{ 'a'.encode() }}") == "t: line 1: 'encode' of 'str' is not supported");
  CHECK(error_in("{{ lipsum() }}") == "t: line 1: function 'lipsum' is not supported");
  CHECK(error_in("\n{{ raise_exception('wrong roles') }}") ==
        "t: line 2: the template refuses: wrong roles");
  CHECK(error_in("{% if x %}\n\n{{ y.z }}{% else %}\n{{ y.z }}{% endif %}") ==
        "t: line 4: 'y' is undefined");
  CHECK(error_in("\xFF") == "t: the template is not UTF-8 at byte 0");
  CHECK(error_in("{{ 9223372036854775807 + 1 }}") == "t: line 1: a whole number beyond 64 bits");
}

TEST_CASE("chat template: the date is pinned, never today's", "[chat]") {
  const ChatTemplate chat("{{ strftime_now('%d %b %Y') }}", "t");
  const auto none = OrderedJson::array();
  CHECK_THAT(error_of([&] { chat.render(none); }),
             contains("asks for today's date; give it as 'date'"));
  ChatOptions options;
  options.date = "2024-02-29";
  CHECK(chat.render(none, options) == "29 Feb 2024");
  options.date = "2023-02-29";
  CHECK_THAT(error_of([&] { chat.render(none, options); }), contains("is not of the form"));
  const auto row =
      parse_ordered_json(R"({"messages": [], "options": {"date": "1999-12-31"}})", "row");
  CHECK(render_row(chat, row, "row") == "31 Dec 1999");
}

TEST_CASE("chat template: comes from the folder as transformers takes it", "[chat]") {
  const auto talk = parse_ordered_json(kTalk, "talk");
  SECTION("a text in tokenizer_config.json, with its special tokens") {
    const TempFolder folder;
    written(
        folder, "tokenizer_config.json",
        R"({"bos_token": {"content": "<b>", "lstrip": false}, "eos_token": "<e>", "unk_token": null,)"
        R"( "add_bos_token": true, "chat_template": "{{ bos_token }}{{ messages|length }}{{ eos_token }}{{ unk_token }}"})");
    CHECK(load_chat_template(folder.path()).render(talk) == "<b>2<e>");
  }
  SECTION("a list of named templates, tool_use when there are tools") {
    const TempFolder folder;
    written(
        folder, "tokenizer_config.json",
        R"({"chat_template": [{"name": "default", "template": "plain"},)"
        R"( {"name": "tool_use", "template": "{{ tools|tojson }}"}, {"name": "rag", "template": "rag"}]})");
    const auto chat = load_chat_template(folder.path());
    CHECK(chat.render(talk) == "plain");
    const auto row = [](const char* options) {
      return parse_ordered_json(std::string(R"({"messages": [], "options": )") + options + "}",
                                "row");
    };
    CHECK(render_row(chat, row(R"({"tools": [{"b": 1, "a": 2}]})"), "row") ==
          R"([{"b": 1, "a": 2}])");
    CHECK(render_row(chat, row(R"({"chat_template": "rag"})"), "row") == "rag");
    CHECK_THAT(error_of([&] { render_row(chat, row(R"({"chat_template": "x"})"), "row"); }),
               contains("there is no chat template 'x', only default, rag and tool_use"));
  }
  SECTION("chat_template.jinja wins") {
    const TempFolder folder;
    written(folder, "tokenizer_config.json", R"({"chat_template": "old"})");
    written(folder, "chat_template.jinja", "new {{ add_generation_prompt }}\n");
    CHECK(load_chat_template(folder.path()).render(talk) == "new False");
  }
  SECTION("none, or something else") {
    const TempFolder folder;
    CHECK_THAT(error_of([&] { load_chat_template(folder.path()); }),
               contains("there is no chat template"));
    written(folder, "tokenizer_config.json", R"({"chat_template": 3})");
    CHECK_THAT(error_of([&] { load_chat_template(folder.path()); }),
               contains("expected a text or a list of {name, template}"));
  }
  SECTION("rows that are no conversation") {
    const ChatTemplate chat("x", "t");
    const auto row = [](const char* text) { return parse_ordered_json(text, "row"); };
    CHECK_THAT(error_of([&] { render_row(chat, row(R"({"messages": 1})"), "f:3"); }),
               contains("f:3: ") && contains("must be a list of objects"));
    CHECK_THAT(error_of([&] { render_row(chat, row(R"({"messages": ["a"]})"), "f:3"); }),
               contains("must be an object"));
    CHECK_THAT(error_of([&] { render_row(chat, row(R"({"messages": [], "options": 1})"), "f:3"); }),
               contains("'options' must be an object"));
  }
}

TEST_CASE("chat template: a hostile template ends in an error", "[chat]") {
  const std::string many = "{% for a in range(99999) %}";
  const auto repeated = [](const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i)
      all += text;
    return all;
  };
  for (const auto& source : {
           many + many + "{% endfor %}{% endfor %}",
           std::string("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
           std::string("{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x "
                       "+ ns.x %}{% endfor %}"),
           std::string("{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = "
                       "[ns.x] %}{% endfor %}{{ ns.x }}"),
           std::string("{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x "
                       "+ ns.x %}{% endfor %}"),
           std::string("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}"),
           std::string("{{ 'a' * 999999999999 }}"),
           std::string("{{ 'a'.center(999999999999) }}"),
           std::string("{{ ('a' * 60000000).replace('', 'aaaaaaaaaa') }}"),
           std::string("{% for i in range(9999) %}{{ 'a' * 1000000 }}{% endfor %}"),
           std::string("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
           std::string("{{ 2 ** 999999999999 }}"),
           "{{ " + repeated("(", 100000) + " }}",
           "{{ " + repeated("1 + ", 100000) + "1 }}",
           "{{ x" + repeated(".y", 100000) + " }}",
           "{{ x" + repeated("|abs", 100000) + " }}",
           "{{ " + repeated("not ", 100000) + "x }}",
           "{{ " + repeated("- ", 100000) + "1 }}",
           "{{ " + repeated("1 if 1 else ", 100000) + "1 }}",
           repeated("{% if 1 %}", 100000),
           "{% set " + repeated("(", 100000) + "a = 1 %}",
       }) {
    CAPTURE(source.substr(0, 100));
    CHECK_THAT(error_in(source), contains("t: line "));
  }
}

TEST_CASE("chat template: a row without messages is refused", "[chat]") {
  const ChatTemplate chat("{{ messages }}", "t");
  for (const auto& row : {OrderedJson::object(), OrderedJson::array({1}), OrderedJson("x")})
    CHECK(error_of([&] { render_row(chat, row, "f:1"); }) ==
          "f:1: expected an object with 'messages'");
}

TEST_CASE("chat template: a damaged template is rendered or refused", "[chat][fuzz]") {
  constexpr std::int64_t kCases = 10000;
  std::vector<std::string> sources;
  for (const auto& [name, source] : golden()["templates"].items())
    sources.push_back(source.get<std::string>());
  for (const auto& snippet : golden()["snippets"])
    sources.push_back(snippet["source"].get<std::string>());
  const std::vector<std::string> pieces = {"{{",
                                           "}}",
                                           "{%",
                                           "%}",
                                           "{#",
                                           "#}",
                                           "-",
                                           "(",
                                           ")",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           "|",
                                           ".",
                                           ":",
                                           ",",
                                           "'",
                                           "\"",
                                           "~",
                                           "*",
                                           "**",
                                           "//",
                                           "==",
                                           " is ",
                                           " not ",
                                           " in ",
                                           " if ",
                                           " else ",
                                           "{% endif %}",
                                           "{% endfor %}",
                                           "{% for x in xs %}",
                                           "{% set x = ",
                                           "loop",
                                           "|list",
                                           "|length",
                                           "[::-1]",
                                           "\n",
                                           "\\",
                                           "\xFF",
                                           "1e999",
                                           "99999999999999999999",
                                           "{% raw %}",
                                           "{% macro f(x) %}",
                                           "{% endmacro %}",
                                           "{{ f(1) }}",
                                           "namespace("};
  const auto& talks = golden()["talks"];
  std::int64_t errors = 0;
  for (std::int64_t i = 0; i < kCases; ++i) {
    RandomStream random(
        {.seed = 11, .purpose = Purpose::Task, .ordinal = static_cast<std::uint64_t>(i)});
    const auto pick = [&](const auto& from) -> const auto& {
      return from[static_cast<std::size_t>(random.below(std::ssize(from)))];
    };
    auto source = pick(sources);
    for (auto changes = random.between(1, 4); changes > 0; --changes) {
      const auto at = static_cast<std::size_t>(random.below(std::ssize(source) + 1));
      const auto size = static_cast<std::size_t>(random.below(8));
      if (random.below(3) == 0)
        source.erase(at, size);
      else if (random.below(2) == 0)
        source.insert(at, pick(pieces));
      else
        source.insert(
            at, source.substr(static_cast<std::size_t>(random.below(std::ssize(source) + 1)), 20));
    }
    const auto got =
        outcome(source, golden()["data"], random.below(2) == 0 ? talks["tools"] : talks["turns"]);
    if (got.starts_with("refused: ")) ++errors;
  }
  CHECK(errors > kCases / 10);
  CHECK(errors < kCases);
}

// Programs that pass tests. What is right and wrong is plain from the programs; the forms of rows are those
// of the published sets (APPS, MBPP, HumanEval). Where a machine has no Python, no compiler or no
// isolation, what needs it is skipped.
#include "rewards/code/code_runner.h"
#include "rewards/code/installation.h"
#include "rewards/programs.h"
#include "tests/rewards/code_support.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace aha_test;
using aha::Json;

namespace {

/// Python that writes bytes to every file it might share with the judge, and goes on.
std::string writing(const std::string& bytes) {
  return "import os\nfor file in range(3, 20):\n    try: os.write(file, b\"\"\"" + bytes +
         "\"\"\")\n    except OSError: pass\n";
}

}  // namespace

TEST_CASE("code: Python is judged by what it writes", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const Json& row = kSum) {
    return Judged{.text = fenced("python", code), .row = row}.by(*reward);
  };
  CHECK(by("print(sum(map(int, input().split())))").score == 1.0);
  CHECK(by("print(3)").score == 0.0);
  CHECK(by("print(3)").reason == "test 2 of 2: wrote '3', wanted '11'");
  CHECK(by("raise ValueError('x')").score == 0.0);
  CHECK(by("import os; os._exit(0)").score == 0.0);
  CHECK(by("while True: pass").reason == "test 1 of 2: time limit");
  CHECK(by("import os; os.fork(); print(sum(map(int, input().split())))").score == 0.0);
  const Json apps = {{"input_output", R"({"inputs": ["1 2\n"], "outputs": ["3\n"]})"}};
  CHECK(by("print(sum(map(int, input().split())))", apps).score == 1.0);
}

TEST_CASE("code: no answer has itself killed to go unjudged", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::vector<std::string> ways = {
      "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
      "import os\nos.kill(os.getpid(), 9)", "import signal\nsignal.raise_signal(9)",
      "import ctypes\nctypes.CDLL(None).prctl(22, 1)\nctypes.string_at(0)"};
  for (const auto& code : ways) {
    INFO(code);
    CHECK(Judged{.text = fenced("python", code), .row = kSum}.by(*reward).score == 0.0);
    CHECK(asserted(*reward, code, "assert f(1) == 1") == 0.0);
  }
}

TEST_CASE("code: assertions are decided where the answer does not see them", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const Json& row) {
    return Judged{.text = fenced("python", code), .row = row}.by(*reward).score;
  };
  const Json mbpp = {{"test_list", {"assert twice(2) == 4", "assert twice(-1) == -2"}}};
  CHECK(by("def twice(x):\n    return 2 * x", mbpp) == 1.0);
  CHECK(by("def twice(x):\n    return x * x", mbpp) == 0.0);
  CHECK(by("class A:\n    def __eq__(self, other): return True\ndef twice(x): return A()", mbpp) ==
        0.0);
  CHECK(by("import os\ndef twice(x): os._exit(0)", mbpp) == 0.0);
  const Json human_eval = {{"test", "def check(candidate):\n    assert candidate(3) == 9\n"},
                           {"entry_point", "square"}};
  CHECK(by("def square(x):\n    return x * x", human_eval) == 1.0);
  CHECK(by("def square(x):\n    return x + x", human_eval) == 0.0);
}

TEST_CASE("code: an answer does not replace what assertions are made of", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const std::string& assertions) {
    return asserted(*reward, code, assertions);
  };
  const std::string close = "assert abs(f(1) - 2.0) < 1e-6";
  CHECK(by("def f(x): return [1]", "assert set(f(1)) == set((1,))") == 1.0);
  CHECK(by("def f(x): return [9]\ndef set(x): return 0", "assert set(f(1)) == set((1,))") == 0.0);
  CHECK(by("def f(x): return 9.0\ndef abs(x): return 0", close) == 0.0);
  CHECK(by("def f(x): return 2.0\nabs = None", close) == 1.0);
  // an object that is near everything
  CHECK(by("class Near:\n    def __sub__(self, x): return self\n    __rsub__ = __sub__\n"
           "    def __abs__(self): return self\n    def __lt__(self, x): return True\n"
           "    __gt__ = __lt__\ndef f(x): return Near()",
           close) == 0.0);
  const std::string holds_all =
      "class All:\n    def __contains__(self, x): return True\n"
      "    def __iter__(self): return iter([1, 3])\ndef f(x): return All()";
  CHECK(by(holds_all, "assert 2 in f(1)") == 0.0);
  CHECK(by(holds_all, "assert 3 in f(1) and 2 not in f(1)") == 1.0);
  const std::string by_module = "assert math.isclose(f(1), 2.0)";
  CHECK(by("class math:\n    isclose = lambda *a: True\ndef f(x): return 9.0", by_module) == 0.0);
  CHECK(by("import math\ndef f(x): return 2.0", by_module) == 1.0);
  CHECK(by("def f(x): return 9\ndef check(x): pass",
           "def check(candidate):\n    assert candidate(1) == 2\ncheck(f)") == 0.0);
  CHECK(by("def f(x): return 9\ndef sqrt(x): return 9",
           "from math import sqrt\nassert sqrt(f(1)) == sqrt(4)") == 0.0);
  CHECK(by("import os\ndef f(x): os._exit(0)", "try: f(1)\nexcept Exception: pass") == 0.0);
}

TEST_CASE("code: an answer that ends an iteration does not end the tests", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string ends = "def f(x): raise StopIteration";
  for (const char* test :
       {"assert all(map(lambda p: f(p[0]) == p[1], [(1, 743), (2, 888)]))",
        "for want, got in zip([4, 9], map(f, [2, 3])): assert want == got",
        "for got in map(f, [2, 3]): assert got == 7", "assert not any(map(f, [1, 2]))"}) {
    INFO(test);
    CHECK(asserted(*reward, ends, test) == 0.0);
  }
  CHECK(asserted(*reward, "def f(n):\n    yield from range(n)",
                 "assert list(f(3)) == [0, 1, 2] and next(f(1)) == 0") == 1.0);
}

TEST_CASE("code: bytes that an answer writes to the judge are no values of its making", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto forged = [&](const std::string& bytes) {
    const auto code = writing(bytes) + "def f(x): return 3\n";
    return asserted(*reward, code, "assert f(1) == 2");
  };
  // pickles that give Counter an __eq__ that is always true, and a Counter as what f returns
  CHECK(forged(R"(\x80\x04(\x8c\x05valueccollections\nCounter\n(N}\x8c\x06__eq__cbuiltins\nslice\n)"
               R"(stb0}\x8c\x01fK\x00Qs)t.\x80\x04(\x8c\x05valueccollections\nCounter\n)R)t.)") ==
        0.0);
  // the judge's own messages: what f is, and what it returns
  const auto returned = [&](const std::string& value) {
    return forged(
        R"(["value",["list","f"]]\n["value",["object",0,1]]\n["value",["tuple","function",["tuple"],)"
        R"(null,null,["tuple","__call__"]]]\n["value",)" +
        value + "]\\n");
  };
  CHECK(returned("2,[]") == 1.0);  // as the driver would: this is the channel
  for (const char* value :
       {"3,[]", R"(["global","builtins","eval"],[])", R"(["global","os","system"],[])",
        R"(["module","unittest.__main__"],[])", R"({"__class__":"int"},[])",
        R"(["object",0,1,["list"]],[])", R"(["int",["list"]],[])",
        R"(["more","os","system","0"],[])",
        R"(["more","os","_exit",76],[])", R"(["exception","eval","0"],[])", R"(2,[[0,"list"]])",
        R"(["container",0],[])", "[]", "nan"})
    CHECK(returned(value) == 0.0);
  // exceptions that would end the judge as if the tests had passed
  const std::string ends = R"(["error",["exception","SystemExit",76]]\n)";
  CHECK(forged(ends) == 0.0);
  CHECK(forged(R"(["value",["list","f"]]\n)" + ends) == 0.0);
  CHECK(forged(R"(["value",["list","f"]]\n["value",["object",0,1]]\n)" + ends) == 0.0);
  std::string deep;
  for (int i = 0; i < 300; ++i)
    deep = R"(["list",)" + (deep.empty() ? "1" : deep) + "]";
  CHECK(returned(deep) == 0.0);
  CHECK(forged(std::string(200000, '[')) == 0.0);
  CHECK(forged(R"(["error","SystemExit","0"]\n)") == 0.0);
}

TEST_CASE("code: values go between answer and assertions as they are", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto by = [&](const std::string& code, const std::string& assertions) {
    return asserted(*reward, code, assertions);
  };
  CHECK(by("def f(x): return x", R"(
from collections import *
from decimal import Decimal
from fractions import Fraction
import datetime
for value in (None, True, 1, -2**63, 2**70, -10**5000, 1.5, float("-inf"), "a\ud800\n\0", b"\0\xff",
              bytearray(b"a"), (), (1, [2, {3: "4"}]), {1: 2, (1, 2): [3]}, {1, 2}, frozenset({1}),
              1 + 2j, range(3), slice(1, 2), Counter("aab"), OrderedDict(a=1), deque([1], 3),
              defaultdict(int, a=1), Fraction(1, 3), Decimal("1.20"), datetime.date(2020, 1, 2), int):
    assert f(value) == value and type(f(value)) is type(value), value
assert f(float("nan")) != f(float("nan"))
assert f(deque([1], 3)).maxlen == 3 and f(defaultdict(list))["a"] == []
assert str(f(Decimal("1.20"))) == "1.20"
)") == 1.0);
  CHECK(by("def f(number, value, what=0, self=0, name=0): return number + 2 * value + self",
           "assert f(number=1, value=2, self=3) == 8") == 1.0);
  const std::string subclasses =
      "from collections import namedtuple\nfrom enum import Enum, IntEnum\n"
      "class Level(IntEnum):\n    HIGH = 3\nclass Name(str, Enum):\n    A = 'a'\n"
      "Point = namedtuple('Point', 'x number')\nclass Stack(list): pass\n"
      "def f(x): return [Level.HIGH, Point(1, [2]), Name.A, Stack([x, 2])][x]";
  CHECK(by(subclasses,
           "assert f(0) == 3 and f(0) + 1 == 4 and f(0).name == 'HIGH'\n"
           "assert f(1) == (1, [2]) and f(1).number == [2]\nassert f(2) == 'a'\n"
           "assert f(3) == [3, 2] and [3, 2] == f(3)") == 1.0);
  CHECK(by(subclasses, "assert f(1) == (1, [3])") == 0.0);
  const std::string vector =
      "class V:\n    def __init__(self, x): self.x = x\n"
      "    def __add__(self, other): return V(self.x + other.x)\n"
      "    def __eq__(self, other): return self.x == other.x\n"
      "    def __lt__(self, other): return self.x < other.x\n";
  CHECK(by(vector, "assert V(1) + V(2) == V(3)\nassert V(1) < V(2) and not V(2) < V(1)") == 1.0);
  CHECK(by(vector, "assert V(1) + V(2) == V(4)") == 0.0);
  CHECK(by("class A(list):\n    def __eq__(self, other): return True\ndef f(x): return A()",
           "assert f(1) == [2]") == 0.0);
}

TEST_CASE("code: a test that cannot be asked is no wrong answer, and is named before a run",
          "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string right = "def f(g):\n    return g(2) if callable(g) else sum(g)";
  for (const char* test : {"assert f(lambda x: x + 1) == 3", "assert f(x for x in [1, 2]) == 3",
                           "assert f(\n  [lambda x: x]) == 3"}) {
    INFO(test);
    const Json row = {{"tests", {test}}};
    const auto part = Judged{.text = fenced("python", right), .row = row}.by(*reward);
    CHECK_FALSE(part.score);
    CHECK_THAT(part.reason, contains("cannot be asked here"));
    CHECK_THAT(reward->gold_problem(row).value_or(""), contains("test 1 cannot be asked here"));
  }
  const Json hidden = {{"tests", {"def one(x): return x + 1\nassert f(one) == 3"}}};
  CHECK_FALSE(Judged{.text = fenced("python", right), .row = hidden}.by(*reward).score);
  // what stays in the judge, or is a value before it goes over
  for (const char* test : {"assert sorted(f([1, 2]), key=lambda x: x) == 3",
                           "assert f(sorted([2, 1], key=lambda x: x)) == 3",
                           "assert f([x for x in (1, 2)]) == 3", "assert f('(lambda x: x)') == 3",
                           "import functools\nassert functools.reduce(lambda a, b: a, f([1])) == 3",
                           "def h(g): return g(f)\nassert h(lambda x: x([1, 2])) == 3"})
    CHECK_FALSE(reward->gold_problem({{"tests", {test}}}));
  CHECK(asserted(*reward, right, "assert f([x for x in (1, 2)]) == 3") == 1.0);
}

TEST_CASE("code: partial credit ends at a time limit or where nothing compiles", "[code]") {
  const auto reward = reward_for("python", {{"credit", "partial"}, {"time_limit_s", "1"}});
  if (!reward) return;
  Json tests = Json::array();
  for (const char* input : {"1", "2", "3", "4"})
    tests.push_back({{"input", input}, {"output", input}});
  const Json row = {{"tests", tests}};
  const auto by = [&](const std::string& code) {
    return Judged{.text = fenced("python", code), .row = row}.by(*reward);
  };
  const auto part = by("x = input()\nwhile x == '2': pass\nprint(x)");
  CHECK(part.score == 0.25);
  CHECK(part.steps == 2);
  CHECK(part.reason == "1 of 4 tests; test 2 of 4: time limit");
  const auto one_wrong = by("print(input().replace('2', ''))");
  CHECK(one_wrong.score == 0.75);
  CHECK(one_wrong.steps == 4);
  const auto cpp = reward_for("cpp", {{"credit", "partial"}});
  if (!cpp) return;
  const auto broken = Judged{.text = fenced("cpp", "int main() { x; }"), .row = row}.by(*cpp);
  CHECK(broken.score == 0.0);
  CHECK(broken.steps == 1);
}

TEST_CASE("code: an interpreter's link shows no folder that is no installation", "[code]") {
  const auto python = aha::program_path("python3");
  if (!python) return;
  const TempFolder home;
  std::filesystem::create_directories(home / "bin");
  std::ofstream(home / "secret") << "42";
  const auto link = home / "bin/python3";
  std::filesystem::create_symlink(*python, link);
  for (const auto& path : aha::paths_of_program(link))
    CHECK(path != home.path().string());
  const auto reward = reward_for("python", {{"python", link.string()}});
  if (!reward) return;
  const Json row = {{"tests", {{{"input", ""}, {"output", "False"}}}}};
  const auto code =
      "try: print(bool(open('" + (home / "secret").string() + "')))\nexcept OSError: print(False)";
  CHECK(Judged{.text = fenced("python", code), .row = row}.by(*reward).score == 1.0);
  std::ofstream(home / "pyvenv.cfg") << "home = " << python->parent_path().string() << "\n";
  CHECK(aha::paths_of_program(link).front() == home.path().string());
}

TEST_CASE("code: what is not an answer gets nothing, what cannot be judged is no zero", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto right = fenced("python", "print(sum(map(int, input().split())))");
  const auto by = [&](const std::string& text, const Json& row = kSum) {
    return Judged{.text = text, .row = row}.by(*reward);
  };
  CHECK(by("no code").reason == "no block of code");
  CHECK(by("<think>" + right).reason == "the thinking has not ended");
  CHECK(by("<think>" + right + "</think>").score == 0.0);
  CHECK(by("<think>hm</think>" + right).score == 1.0);
  CHECK(by(right + fenced("python", "print(3)")).score == 0.0);  // the last block counts
  CHECK_FALSE(by(right, Json::object()).score);
  CHECK(error_of([] {
          aha::make_reward("code", {{"python", "/nowhere/python"}, {"language", "python"}});
        }).find("'/nowhere/python' is not there") != std::string::npos);
}

TEST_CASE("code: an interpreter that fails by itself is an error, not a wrong answer", "[code]") {
  CHECK(error_of([] {
          aha::make_reward("code", {{"python", "/bin/false"}, {"language", "python"}});
        }).find("/bin/false does not work in the sandbox: exit code 1") != std::string::npos);
}

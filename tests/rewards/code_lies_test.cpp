// What an answer's objects may say and not be paid for, and what right answers may do beside it.
#include "tests/rewards/code_support.h"

using namespace aha_test;

namespace {

struct Row {
  std::string answer;
  std::string test;
};

const std::string kHalves =
    "class R(float):\n    def __mul__(self, other): return 2.0\n"
    "class I(int):\n    def __mul__(self, other): return 15\n    def __le__(self, other): return "
    "True\n"
    "    def __eq__(self, other): return False\n    __hash__ = int.__hash__\n"
    "def root(x): return R(1.0)\ndef factor(x): return I(2), I(2)\n"
    "def ordered(x): return [I(3), I(1), I(2)]\ndef unlike(x): return [I(1)] * 5\n";

const std::string kHandlers =
    "class M:\n    def __enter__(self): return self\n    def __exit__(self, *error): return True\n"
    "    def get(self): raise ValueError\n    def none(self): return None\n"
    "class S:\n    def __init__(self): self.items = [1]\n    def __enter__(self): return self\n"
    "    def __exit__(self, kind, error, trace): return kind is KeyError\n"
    "    def get(self): raise KeyError\n";

}  // namespace

TEST_CASE("code: an answer's objects do not lie their way through usual tests", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string sets =
      "class S:\n    seen = ()\n    def difference(self, other): self.seen = other; return set()\n"
      "    def __iter__(self): return iter(self.seen)\ndef f(x): return S()\n";
  const std::string counters =
      "from collections import Counter\nclass C(Counter):\n    def __iter__(self): return "
      "iter(())\n"
      "    def __getitem__(self, key): return 1\ndef f(x): return C()\n";
  const std::string shown =
      "class Solution:\n    def root(self, x): return self\n    def __sub__(self, other): return "
      "self\n"
      "    def __mul__(self, other): return 0\n    def __format__(self, how): return '0.000'\n";
  const std::string wearing =
      "import decimal\nclass Decimal: pass\nDecimal.__module__ = 'decimal'\ndecimal.Decimal = "
      "Decimal\n"
      "def f(x): return Decimal()\n";
  const std::vector<Row> rows = {
      {sets,
       "import unittest\nclass T(unittest.TestCase):\n    def test_f(self): "
       "self.assertSetEqual(f(3), {1, 2, 3})"},
      {kHalves, "r = root(2)\nassert isinstance(r, float) and abs(r * r - 2) < 1e-9"},
      {kHalves, "a, b = factor(15)\nassert a > 1 and b > 1 and a * b == 15"},
      {kHalves, "r = ordered(1)\nassert all(r[i] <= r[i + 1] for i in range(2))"},
      {kHalves, "r = unlike(1)\nassert len(r) == len(set(r)) == 5"},
      {counters, "from collections import Counter\nassert Counter('abc') == f('abc')"},
      {shown, "d = Solution().root(2) - 1.41421\nassert d * d < 1e-6"},
      {shown, "d = Solution().root(2) - 1.41421\nassert f'{d:.3f}' == '0.000'"},
      {wearing, "from decimal import Decimal\nassert f(3) == Decimal('0.5')"},
      {kHandlers, "def helper(m): assert m.get() == 5\nwith M() as m: helper(m)"},
      {kHandlers, "with M() as m:\n    if m.get() != 5: raise ValueError"},
      {kHandlers, "with M() as m: assert m.none() + 1 == 6"},
      {kHandlers,
       "import contextlib\nwith contextlib.ExitStack() as s:\n    m = s.enter_context(M())\n    "
       "assert m.get() == 5"},
      {kHandlers,
       "import unittest\nclass T(unittest.TestCase):\n    def check(self, m): "
       "self.assertEqual(m.get(), 5)\n"
       "    def test_m(self):\n        with M() as m: self.check(m)"}};
  for (const auto& row : rows) {
    INFO(row.test);
    const auto score = asserted(*reward, row.answer, row.test);
    const bool paid = score && *score == 1.0;
    CHECK_FALSE(paid);
  }
}

TEST_CASE("code: right answers are paid beside what is refused to liars", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string mod =
      "class Mod(int):\n    def __add__(self, other): return Mod((int(self) + int(other)) % 7)\n";
  const std::string count =
      "class Count:\n    def __init__(self): self.n = 0\n    def __iter__(self): return self\n"
      "    def __next__(self):\n        self.n += 1\n        if self.n > 3: raise StopIteration\n  "
      "      return self.n\n";
  const std::vector<Row> rows = {
      {mod, "assert Mod(5) + Mod(4) == 2"},
      {count,
       "c = Count()\nassert iter(c) is c and next(c) == 1 and list(c) == [2, 3] and 4 not in "
       "Count()"},
      {kHandlers, "with S() as s: s.get()"},
      {kHandlers,
       "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        for i in "
       "range(2):\n"
       "            with self.subTest(i=i): self.assertEqual(S().items, [1])\n"
       "    def test_b(self):\n        with S() as s: s.get()"},
      {"def f(x): return {1, x}",
       "import unittest\nclass T(unittest.TestCase):\n"
       "    def test_f(self): self.assertSetEqual(f(2), {1, 2})"},
      {"class Own(set): pass\ndef f(x): return Own([1, x])",
       "import unittest\nclass T(unittest.TestCase):\n    def test_f(self): "
       "self.assertSetEqual(f(2), {1, 2})"},
      {"async def f(x): return x + 2", "import asyncio\nassert asyncio.run(f(3)) == 5"},
      {"async def f(x): return x + 2",
       "from unittest import IsolatedAsyncioTestCase as Case\nclass T(Case):\n"
       "    async def test_f(self): self.assertEqual(await f(3), 5)"},
      {"class Solution:\n    def two(self, a: List[int]) -> Optional[int]: return a[0]",
       "assert Solution().two([4]) == 4"}};
  for (const auto& row : rows) {
    INFO(row.test);
    CHECK(asserted(*reward, row.answer, row.test) == 1.0);
  }
  // what unittest and pytest would prepare
  CHECK_FALSE(asserted(*reward, "def f(x): return x",
                       "import unittest\ndef setUpModule(): pass\nclass T(unittest.TestCase):\n"
                       "    def test_f(self): self.assertEqual(f(1), 1)"));
}

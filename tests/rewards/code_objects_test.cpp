// Tests in Python of what an answer's own classes, objects and exceptions do, and of what they may not do.
#include "tests/rewards/code_answers.h"
#include "tests/rewards/code_support.h"

using namespace aha_test;
using aha::Json;

namespace {

/// A test that passes where every one of these would fail.
std::string failing(const std::vector<std::string>& checks) {
  std::string test = "import unittest\nfor check in [\n";
  for (const auto& check : checks)
    test += "    r'''" + check + "''',\n";
  return test +
         "]:\n    try: exec(check)\n    except (AssertionError, TypeError): continue\n"
         "    raise ValueError(check)\n";
}

std::string all_of(const std::vector<std::string>& checks) {
  std::string test;
  for (const auto& check : checks)
    test += check + "\n";
  return test;
}

}  // namespace

TEST_CASE("code: exceptions of the answer's are caught as what they are", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const auto caught = [](int n, const std::string& as, const std::string& then) {
    return fmt::format("try: fail({})\nexcept {} as e: assert {}\nelse: assert False", n, as, then);
  };
  CHECK(asserted(*reward, kExceptions,
                 all_of({"import json, queue", caught(0, "Empty", "str(e) == 'no item'"),
                         caught(0, "Exception", "type(e).__name__ == 'Empty' and type(e) is Empty"),
                         caught(1, "ValueError", "e.code == 7 and e.args == ('bad',)"),
                         caught(2, "Refused", "isinstance(e, Worse) and type(e) is not Refused"),
                         caught(3, "KeyError", "e.args == ('a',) and str(e) == repr('a')"),
                         caught(4, "json.JSONDecodeError", "isinstance(e, ValueError) and e.pos"),
                         caught(5, "ZeroDivisionError", "True"),
                         caught(6, "UnicodeDecodeError", "e.start == 0"),
                         caught(7, "queue.Empty", "True"), caught(8, "SystemExit", "e.code == 76"),
                         caught(9, "RuntimeError", "'End' in str(e)"),
                         "try: raise Refused(1, 'x')\nexcept Refused as e: assert e.code == 1",
                         "with Swallows() as s: fail(1)\nassert s.kind is Refused"})) == 1.0);
  CHECK(asserted(*reward, kExceptions, R"(
import unittest
class Cases(unittest.TestCase):
    def test_a(self):
        with self.assertRaises(Empty): fail(0)
        with self.assertRaisesRegex((Empty, Refused), "worse") as caught: fail(2)
        self.assertEqual(caught.exception.code, 8)
        self.assertRaises(SystemExit, fail, 8)
)") == 1.0);
  for (const char* name : {"AssertionError", "Exception", "BaseException", "(KeyError, Exception)"})
    CHECK(asserted(*reward, fmt::format("def f(x): return x\nBad = {}", name),
                   "try:\n    f(-1)\n    assert False\nexcept Bad: pass") == 0.0);
  CHECK(asserted(*reward, "def f(x): raise Bad(x)\nBad = ValueError",
                 "try:\n    f(-1)\n    assert False\nexcept Bad: pass") == 1.0);
  for (const char* test :
       {"try: fail(1)\nexcept Worse: pass", "try: fail(0)\nexcept ValueError: pass", "fail(8)",
        "def test_a(): fail(8)", "all(map(fail, [9]))", "with Swallows(): assert fail == 1",
        "with Swallows() as s: assert s.get() == 1",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): fail(0)",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): fail(8)",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): fail(10)"}) {
    INFO(test);
    CHECK(asserted(*reward, kExceptions, test) == 0.0);
  }
}

TEST_CASE("code: objects of the answer's are of its classes and do what Python asks of them",
          "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::vector<std::vector<std::string>> tests = {
      {"s = Stack()",
       "assert isinstance(s, Stack) and type(s) is Stack and not isinstance(s, Sub)",
       "assert type(s).__name__ == s.__class__.__name__ == 'Stack'",
       "assert issubclass(Sub, Stack) and isinstance(Sub(), Stack) and not issubclass(int, Stack)",
       "assert isinstance(Square(), Shape) and Square().area() == 4",
       "assert not isinstance(5, Stack) and isinstance(Ring(), list) and isinstance(Row(), Row)",
       "assert One() is One() and id(One()) == id(One()) and Stack() is not Stack()",
       "assert s.push(1).push(2) is s and len(s) == 2 and s[0] == 1 and list(s) == [1, 2]",
       "assert list(reversed(s)) == [2, 1] and 2 in s and 3 not in s and sorted(s) == [1, 2]",
       "s[0] = 5\ndel s[1]\ns.more = 3\nassert [*s] == [5] and s.more == 3",
       "del s.more\nassert not hasattr(s, 'more') and getattr(s, 'more', 4) == 4",
       "assert callable(V(1, 2)) and not callable(s) and V(1, 2)(3, b=4) == 8",
       "import collections.abc\nassert isinstance(s, collections.abc.Iterable)",
       "assert not isinstance(Words(), collections.abc.Iterable)",
       "w = Words()\nw.add('ab')\nassert 'ab' in w and 'b' not in w",
       "import copy\nt = copy.deepcopy([s])[0].push(6)\nassert len(s) == 1 and len(t) == 2",
       "assert 'push' in dir(s) and 'push' in dir(Stack)",
       "import threading\nc = Count()\nadd = lambda: [c.add() for _ in range(20)]",
       "all = [threading.Thread(target=add) for _ in range(4)]",
       "for one in all: one.start()\nfor one in all: one.join()\nassert c.n == 80",
       "try: Shape()\nexcept TypeError: pass\nelse: assert False"},
      {"assert V(1, 2) * 3 == V(3, 6) == 3 * V(1, 2) and (V(1, 2) * 3).y == 6",
       "v = V(1, 2)\nv += 3\nassert v.x == 4 and v == V(4, 2) and v != V(1, 2)",
       "assert V(1, 2) + V(3, 4) == V(4, 6) and not V(1, 2) + V(3, 4) == V(4, 7)",
       "assert len({V(1, 2), V(1, 2)}) == 1 and {V(1, 2): 3}[V(1, 2)] == 3",
       "assert hash(V(1, 2)) == hash(V(1, 2)) and abs(V(-1, 2)) == V(1, 2)",
       "assert max(V(1, 0), V(3, 0)).x == 3 and sorted([V(2, 0), V(1, 0)])[0] == V(1, 0)",
       "assert int(V(1, 2)) == 1 and float(V(1, 2)) == 2.0 and round(V(1, 2)) == 1",
       "assert str(V(1, 2)) == repr(V(1, 2)) == 'V(1, 2)' and f'{V(1, 2):z}' == '<1z>'",
       "with V(1, 2) as u: assert u.x == 1\nassert u.x == 0", "with five() as x: assert x == 5"},
      {"assert Color(1) is Color.RED and Color['RED'].name == 'RED' and Color(1) == Color.RED",
       "assert [c.value for c in Color] == [1, 2] and len(Color) == 2 and Color.RED in Color",
       "assert Level.LOW < Level.HIGH and Level.LOW == 1 and isinstance(Level(2), Level)",
       "assert Row((1, 2)) + Row((3, 4)) == Row((4, 6)) == (4, 6)",
       "r = Ring([1, 2])\nassert r.last() == 2 and r + [3] == [1, 2, 3] and r < [2] and r[1:] == "
       "[2]",
       "import dataclasses\nassert dataclasses.asdict(Point(1, 2)) == {'a': 1, 'b': 2}",
       "assert Point(1, 2) == Point(1, 2) != Point(1, 3) and repr(Point(1, 2)) == 'Point(a=1, "
       "b=2)'",
       "import inspect\nassert list(inspect.signature(sort).parameters) == ['a']"},
      {"import asyncio, unittest\nassert asyncio.run(later(1)) == 2",
       "async def both():", "    async with Held() as h: assert await h(4) == 5",
       "    assert [i async for i in each(3)] == [1, 2, 3]",
       "    return await asyncio.gather(later(1), later(2))",
       "assert asyncio.run(both()) == [2, 3]", "class Cases(unittest.IsolatedAsyncioTestCase):",
       "    async def test_a(self): self.assertEqual(await later(2), 3)"}};
  for (const auto& checks : tests) {
    INFO(checks.front());
    CHECK(asserted(*reward, kClasses, all_of(checks)) == 1.0);
  }
  for (const char* test :
       {"assert isinstance(Stack(), Sub)", "assert Color(2) is Color.RED", "assert 'ab' in Words()",
        "assert V(1, 2) * 3 == V(3, 7)", "import asyncio\nassert asyncio.run(later(1)) == 3"}) {
    INFO(test);
    CHECK(asserted(*reward, kClasses, test) == 0.0);
  }
}

TEST_CASE("code: what cannot be asked of objects that the tests make is no wrong answer",
          "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  for (const char* test :
       {"assert V(1, 2) < 3", "class Mine(Stack): pass", "assert int(V(1, 2) * 3) == 3",
        "import re\nassert re.compile('a') == One.a"}) {
    INFO(test);
    CHECK_FALSE(asserted(*reward, kClasses + "import re\nOne.a = re.compile('a')\n", test));
  }
  // of what a function returns an answer would decide whether it is judged
  const std::string own =
      "class f:\n    def __init__(self, x): pass\n"
      "    def __gt__(self, other): return True\n";
  CHECK(asserted(*reward, own, "assert f(3) > 5") == 0.0);
  CHECK(asserted(*reward, own + "class A:\n    def f(self, x): return self\n    __gt__ = f\n",
                 "assert A().f(3) > 5") == 0.0);
}

TEST_CASE("code: no object of the answer's says what it is equal to, or how near", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::vector<std::string> checks = {"assert f(3) == 5",
                                           "assert 5 == f(3)",
                                           "assert f(3) in [5]",
                                           "assert f(3) in (4, 5)",
                                           "assert f(3) in {5}",
                                           "assert f(3) in {5: 1}",
                                           "assert [f(3)] == [5]",
                                           "assert {f(3)} == {5}",
                                           "assert {'a': f(3)} == {'a': 5}",
                                           "assert sorted(f(3)) == [5]",
                                           "assert 5 in f(3)",
                                           "assert abs(f(3) - 5.5) < 1e-6",
                                           "assert abs(5.5 - f(3)) < 1e-6",
                                           "import math\nassert math.isclose(f(3), 5.5)",
                                           "import math\nassert math.fabs(f(3) - 5.5) < 1e-6",
                                           "assert round(f(3) - 5.5, 3) == 0",
                                           "assert round(f(3), 3) == 5.5",
                                           "assert f(3) - 5.5 == 0",
                                           "assert not (f(3) - 5.5)",
                                           "assert (f(3) - 5.5) ** 2 < 1e-9",
                                           "assert f(3) ^ 5 == 0",
                                           "assert len(f(3) ^ {5}) == 0",
                                           "assert list(f(3) - {5}) == []",
                                           "assert not f(3) ^ {5}",
                                           "assert f(3) > 15",
                                           "assert 15 < f(3)",
                                           "assert 5 <= f(3) <= 5",
                                           "assert [5, 6] < f(3)",
                                           "with f(3) as x: assert x == 5",
                                           "with f(3): assert False",
                                           "d = f(3)\nd -= 5.5\nassert abs(d) < 1e-6",
                                           "assert sum([f(3), -5.5]) == 0",
                                           "unittest.TestCase().assertAlmostEqual(f(3), 5.5)",
                                           "unittest.TestCase().assertIn(f(3), [5])",
                                           "unittest.TestCase().assertCountEqual(f(3), [5])",
                                           "unittest.TestCase().assertGreater(f(3), 15)"};
  const std::vector<std::string> answers = {
      "give(Yes, Yes())\ndef f(x): return Yes()", "give(Yes, 0)\ndef f(x): return Yes()",
      "give(Yes, 0)\nclass f(Yes):\n    def __init__(self, x): pass",
      "class F(Yes, float): pass\ngive(F, F(0))\nfor name in ('lt', 'gt'): delattr(Yes, "
      "f'__{name}__')\n"
      "def f(x): return F(9)",
      "class F(Yes, list): pass\ngive(F, F())\ndef f(x): return F([0])",
      "class F(Yes, set): pass\ngive(F, F())\ndef f(x): return F([0])",
      // sees what is expected, and gives it back
      "seen = [0]\nclass F(Yes):\n    def __sub__(self, other):\n        seen[0] = other\n"
      "        return self\n    __rsub__ = __sub__\n    def __float__(self): return seen[0]\n"
      "    def __hash__(self): return hash(seen[0])\ndef f(x): return F()"};
  for (const auto& answer : answers) {
    INFO(answer);
    const Json row = {{"tests", {failing(checks)}}};
    const auto part = Judged{.text = fenced("python", kYes + answer), .row = row}.by(*reward);
    INFO(part.reason);
    CHECK(part.score == 1.0);
  }
  // one of a class that the tests make objects of has seen the other value, and says no more
  const auto near = kYes +
                    "class Near(Yes):\n    def __init__(self, x): pass\n"
                    "    def same(self): return self\ngive(Near, Near(0))\n";
  CHECK(asserted(
            *reward, near,
            failing({"assert abs(Near(3).same() - 5.5) < 1e-6", "assert not Near(3).same() - 5.5",
                     "assert list(Near(3).same() ^ {5}) == []",
                     "d = Near(3).same()\nd -= 5.5\nassert abs(d) < 1e-6"})) == 1.0);
  CHECK_FALSE(asserted(*reward, near, "assert abs(Near(3) - 5.5) < 1e-6"));
}

TEST_CASE("code: what a call changes in place is changed for the tests", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string code =
      "def sort(a):\n    a.sort()\n    return a\ndef turn(a): a.reverse()\ndef same(a): return a\n"
      "def add(a=None, d=None):\n    a.append(1)\n    d['k'] = 2\n"
      "def first(a): a[0][0] = 9\n";
  CHECK(asserted(*reward, code, R"(
from collections import *
a = [3, 1]
assert sort(a=a) is a and a == [1, 3]
r, s = [1], [2]
a = [r, s]
first(a)
assert r == [9]
turn(a)
assert a[0] is s and a[1] is r and r == [9] and s == [2]
a.append(a)
assert same(a) is a and same((r, r))[1] is r
a, d = deque([0], 5), defaultdict(list, x=[1])
add(a=a, d=d)
assert a == deque([0, 1]) and a.maxlen == 5 and d == {'x': [1], 'k': 2} and d['new'] == []
for d in (Counter('aa'), OrderedDict(a=2)):
    add([], d)
    assert list(d.items()) == [('a', 2), ('k', 2)]
deep = []
for _ in range(500): deep = [deep]
assert same(deep) is deep
)") == 1.0);
}

TEST_CASE("code: values of the library's classes go over as they are", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  CHECK(asserted(*reward, "from fractions import Fraction\ndef f(x): return Fraction(x, 2)",
                 "from fractions import Fraction\nassert f(3) == Fraction(3, 2)") == 1.0);
  CHECK(asserted(
            *reward,
            "def f(x): return x\ndef views(): d = {'a': 1}; return d.keys(), d.values(), d.items()",
            R"(
import array, ipaddress, pathlib, types, uuid
for value in (pathlib.Path('/a/b'), uuid.UUID(int=5), {'a': 1}.keys(), {'a': 1}.items(), memoryview(b'ab'),
              array.array('d', [1.5, 2]), types.MappingProxyType({1: 2}), ipaddress.ip_address('1.2.3.4'), ValueError):
    assert f(value) == value and type(f(value)) is type(value), value
keys, values, items = views()
assert keys == {'a'} and list(values) == [1] and items == {('a', 1)} and f(NotImplemented) is NotImplemented
error = f(KeyError('a', 2))
assert type(error) is KeyError and error.args == ('a', 2)
)") == 1.0);
}

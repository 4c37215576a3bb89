// Python tests that are defined and not called, as unittest and pytest find them.
#include "tests/rewards/code_support.h"

using namespace aha_test;
using aha::Json;

TEST_CASE("code: tests as unittest, pytest and HumanEval have them are run, not only defined",
          "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string right = "def f(x): return 2 * x";
  const std::string wrong = "def f(x): return 0";
  const std::string unit =
      "import unittest\nclass TestCases(unittest.TestCase):\n    def test_a(self):\n"
      "        self.assertEqual(f(3), 6)\n";
  for (const auto& test :
       {unit, unit + "if __name__ == '__main__':\n    unittest.main()\n",
        std::string("def test_a(): assert f(3) == 6\ndef test_b(): assert f(1) == 2\n")}) {
    INFO(test);
    CHECK(asserted(*reward, right, test) == 1.0);
    CHECK(asserted(*reward, wrong, test) == 0.0);
  }
  // what ends before its end, or asks nothing, nobody passes
  for (const char* test : {"assert f(3) == 6\nimport sys\nsys.exit(0)", "import os\nos._exit(0)",
                           "# f(3) == 6", "assert 1 + 1 == 2"}) {
    INFO(test);
    CHECK(asserted(*reward, right, test) == 0.0);
  }
  const Json filled = {{"tests", {"def test_a(x): assert f(x) == 6"}}};
  CHECK_FALSE(Judged{.text = fenced("python", right), .row = filled}.by(*reward).score);
}

TEST_CASE("code: what tests define is run where they call the answer themselves, too", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string unit =
      "import unittest\nclass Cases(unittest.TestCase):\n    def test_a(self):\n"
      "        self.assertEqual(f(3), 6)\n";
  for (const auto& test :
       {unit, unit + "if __name__ == '__main__':\n    unittest.main()\n",
        unit + "if not unittest.main(exit=False).result.wasSuccessful(): raise ValueError\n",
        unit + "unittest.TextTestRunner().run(unittest.makeSuite(Cases))\n",
        std::string("def test_a(): assert f(3) == 6\n"),
        std::string("class TestF:\n    def test_a(self): assert f(3) == 6\n")}) {
    INFO(test);
    CHECK(asserted(*reward, "def f(x): return 2 * x", "assert f(1) == 2\n" + test) == 1.0);
    CHECK(asserted(*reward, "def f(x): return 2", "assert f(1) == 2\n" + test) == 0.0);
  }
}

TEST_CASE("code: functions that tests have run themselves are not run again", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string counts = "n = 0\ndef f():\n    global n\n    n += 1\n    return n";
  for (const char* test :
       {"def test_a(): assert f() == 1\ntest_a()",
        "def test_a(want): assert f() == want\ntest_a(1)",
        "def test_a(want): assert f() == want\ndef test_b(): test_a(1)",
        "def test_a(want): assert f() == want\nif f() == 2: test_a(3)",
        "class TestF:\n    def setup_method(self): self.want = 1\n"
        "    def test_a(self): assert f() == self.want\none = "
        "TestF()\none.setup_method()\none.test_a()",

        "def test_a(): assert f() == 1\nfor name, one in list(globals().items()):\n"
        "    if name.startswith('test_'): one()"}) {
    INFO(test);
    CHECK(asserted(*reward, counts, test) == 1.0);
  }
}

TEST_CASE("code: a test that was to fail and does not has failed", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  const std::string test =
      "import unittest\nclass Cases(unittest.TestCase):\n    @unittest.expectedFailure\n"
      "    def test_a(self):\n        self.assertEqual(f(3), 7)\n";
  CHECK(asserted(*reward, "def f(x): return 6", test) == 1.0);
  CHECK(asserted(*reward, "def f(x): return 7", test) == 0.0);
}

TEST_CASE("code: what pytest would prepare, or a call does not run, cannot be asked", "[code]") {
  const auto reward = reward_for("python");
  if (!reward) return;
  for (const char* test :
       {"def test_a(x): assert f(x) == 6", "async def test_a(): assert f(3) == 6",
        "def test_a():\n    yield\n    assert f(3) == 6",
        "class TestF:\n    def setup_method(self): self.x = 3\n"
        "    def test_a(self): assert f(self.x) == 6"}) {
    INFO(test);
    CHECK_FALSE(
        asserted(*reward, "def f(x): return 2 * x", std::string("assert f(1) == 2\n") + test));
  }
}

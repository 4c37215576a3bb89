#include "rewards/code/python_driver.h"

namespace aha {

const char* const kPythonJudge = R"python(
import ast, builtins, importlib, os, re, sys
import aha_asking, aha_stand_ins, aha_wire
from aha_asking import ask, CANNOT_ASK, give_up, is_answers, is_class, number_of
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)
PASSED = 76  # kPassed of python_driver.h

def attributes_of(tests):
    """The attributes that tests read, by the name before the dot."""
    read = {}
    for node in ast.walk(ast.parse(tests)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            read.setdefault(node.value.id, set()).add(node.attr)
    return read

def given_names(tests):
    """What the tests mention of what the answer defines. Python's own names stay what they are: those
    of builtins, and of modules of the library that have what the tests read of them."""
    read = attributes_of(tests)
    names = {}
    for name in ask("names"):
        if type(name) is not str or name not in aha_stand_ins.words:
            continue
        if name.startswith("__") or name in dir(builtins):
            continue
        if name in read and name in sys.stdlib_module_names:
            module = importlib.import_module(name)
            if all(hasattr(module, attribute) for attribute in read[name]):
                names[name] = module
                continue
        names[name] = ask("name", name)
    return names

def tested_classes(tests, given):
    """Classes of the answer's that the tests make objects of by a name that is a class's, and know by no other."""
    called = {node.func.id for node in ast.walk(ast.parse(tests))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    classes = [(name, number_of(value)) for name, value in given.items() if is_class(value)]
    others = {number for name, number in classes if name not in called or not name[0].isupper()}
    return {number for _, number in classes} - others

def prepare_asyncio():
    """What the answer's coroutines do is done there."""
    import asyncio
    aha_wire.allow_asyncio()
    run = asyncio.run
    asyncio.run = lambda main, **how: ask("await", main) if is_answers(main) else run(main, **how)

def prepare_dataclasses():
    import dataclasses
    def there(name):
        here = getattr(dataclasses, name)
        def apply(value, /, *args, **keywords):
            if is_answers(value):
                return ask("library", "dataclasses", name, (value, *args), keywords)
            return here(value, *args, **keywords)
        return apply
    for name in ("asdict", "astuple", "replace", "fields"):
        setattr(dataclasses, name, there(name))

def root_of(node):
    """The name that an expression such as a.b(c)[d] begins with."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript, ast.Await)):
        node = getattr(node, "func", None) or node.value
    return getattr(node, "id", None)

def asserts(node):
    """Whether what a with statement does not reach might be asserted: all but what is asked of the answer's and of what
    the statement itself names."""
    own = {one.id for item in node.items if item.optional_vars for one in ast.walk(item.optional_vars)
           if isinstance(one, ast.Name)}
    own |= {name for name, value in names.items() if is_answers(value)} | set(dir(builtins)) - {"exec", "eval"}
    inner = [one for statement in node.body for one in ast.walk(statement)]
    return any(isinstance(one, (ast.Assert, ast.Raise)) or isinstance(one, ast.Call) and root_of(one.func) not in own
               for one in inner)

def is_unittests(node):
    """`with self.subTest(...)`, self.assertRaises(...), pytest.raises(...): none of the answer's."""
    calls = [item.context_expr.func for item in node.items if isinstance(item.context_expr, ast.Call)]
    return len(calls) == len(node.items) and all(
        isinstance(one, ast.Attribute) and (root_of(one), one.attr) == ("pytest", "raises") or
        isinstance(one, ast.Attribute) and root_of(one) == "self" and one.attr.startswith(("assert", "subTest"))
        for one in calls)

def marked(tests):
    """The tests, whose functions test... say by their first line that they are run."""
    tree = ast.parse(tests, "tests.py")
    for node in list(ast.walk(tree)):
        if isinstance(node, (ast.Name, ast.Attribute)):
            used.add(getattr(node, "id", None) or node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            line = min(part.lineno for part in [*node.decorator_list, node])
            node.body.insert(0, ast.parse(f"__ran__.add({line})").body[0])
        elif isinstance(node, (ast.With, ast.AsyncWith)) and not is_unittests(node):
            aha_stand_ins.kept[0] = aha_stand_ins.kept[0] and not asserts(node)
            aha_stand_ins.raises[0] = aha_stand_ins.raises[0] or any(
                isinstance(one, ast.Raise) for statement in node.body for one in ast.walk(statement))
    return tree

def defer_main():
    """unittest.main runs nothing where it is called: what is defined is run once, at the end."""
    import types, unittest
    unittest.main = lambda *args, **keywords: types.SimpleNamespace(result=unittest.TestResult())
    # which asks the first set what it is without: an answer's might say nothing
    compare = unittest.TestCase.assertSetEqual
    def plain(value):
        if not is_answers(value) or is_class(value):
            return value
        said = aha_wire.base_of(value)
        said = aha_stand_ins.plain_of(value) if said is None else said
        return value if said is None else said
    def compare_sets(self, first, second, msg=None):
        first, second = plain(first), plain(second)
        self.assertEqual((is_answers(first), is_answers(second)), (False, False), "an object that is no set")
        compare(self, first, second, msg)
    unittest.TestCase.assertSetEqual = compare_sets

def run_case(case):
    import unittest
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    for _, said in result.errors + result.failures:
        give_up(said.strip().splitlines()[-1])
    for test in result.unexpectedSuccesses:
        give_up(f"{test}: an unexpected success")

def leave_or_give_up(test, why):
    """One that the tests name is theirs to call: an answer must not decide whether it is judged."""
    if test.__name__ not in used:
        give_up(f"{test.__name__} {why}", CANNOT_ASK)

def methods_of(tests):
    """The tests of a class that is none of unittest's."""
    methods = [name for name in dir(tests) if name.startswith("test") and hasattr(getattr(tests, name), "__code__")]
    fixtures = any(name.startswith(("setup", "teardown")) for name in dir(tests))
    if methods and (fixtures or tests.__init__ is not object.__init__):
        leave_or_give_up(tests, "has fixtures, which pytest would call")
        return []
    return [getattr(tests(), name) for name in methods]

def run_function(function):
    import inspect
    parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    if any(one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
        leave_or_give_up(function, "has parameters, which pytest would fill")
    elif inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        leave_or_give_up(function, "is not run by a call")
    elif function.__code__.co_firstlineno not in ran:
        function()

def run_defined():
    """What unittest and pytest would find in the tests, less the functions that the tests have run themselves."""
    import types
    for fixture in ("setUpModule", "setup_module", "setup_function"):
        if type(names.get(fixture)) is types.FunctionType:
            leave_or_give_up(names[fixture], "is a fixture, which unittest or pytest would call")
    case = sys.modules["unittest"].TestCase if "unittest" in sys.modules else ()
    functions = []
    for name, value in list(names.items()):
        if is_answers(value) or getattr(value, "__module__", None) != "__main__":
            continue
        if isinstance(value, type) and issubclass(value, case):
            run_case(value)
        elif isinstance(value, type) and name.startswith("Test"):
            functions += methods_of(value)
        elif type(value) is types.FunctionType and name.startswith("test"):
            functions.append(value)
    for function in functions:
        run_function(function)

def run_tests():
    with open("tests.py") as file:
        tests = file.read()
    words = aha_stand_ins.words
    words.update(re.findall(r"[^\W\d]\w*", tests))
    given = given_names(tests)
    aha_stand_ins.tested.update(tested_classes(tests, given))
    names.update(given)
    for those, prepare in (({"unittest"}, defer_main), ({"asyncio", "IsolatedAsyncioTestCase"}, prepare_asyncio),
                           ({"dataclasses"}, prepare_dataclasses)):
        if those & words:
            prepare()
    try:
        exec(compile(marked(tests), "tests.py", "exec"), names)
    except SystemExit:
        if aha_asking.asked:
            raise
    run_defined()
    if not aha_asking.asked and all(is_answers(value) or type(value) is type(sys) for value in given.values()):
        give_up("the tests ask nothing of the answer")

ran, used = set(), set()
names = {"__name__": "__main__", "__ran__": ran, "__answers__": lambda name: ask("name", name)}
try:
    run_tests()
except SystemExit:
    give_up("the tests ended before their end")
sys.stdout.flush()
os._exit(PASSED)
)python";

}  // namespace aha

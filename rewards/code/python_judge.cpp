#include "rewards/code/python_driver.h"

namespace aha {

const char* const kPythonJudge = R"python(
import ast, builtins, importlib, operator, os, re, sys
import aha_wire
replies = os.fdopen(os.dup(0), "rb")
requests = os.fdopen(os.dup(1), "wb")
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.dup2(null, 1)
MODULES = sys.stdlib_module_names | {"collections.abc"}
PASSED, CANNOT_ASK = 76, 77  # kPassed and kCannotAsk of python_driver.h
asked = 0
TYPES = {(kind.__module__, kind.__name__): kind for kind in aha_wire.PLAIN}

def give_up(why, code=1):
    sys.stderr.write(f"{why}\n")
    sys.stderr.flush()
    os._exit(code)

def named(value):
    """What a value that is not plain is to the answer."""
    if type(value) is StandIn or type(value) in VALUES:
        return ["object", number_of(value)]
    if type(value) is type(sys):
        return ["module", value.__name__]
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module in MODULES and getattr(sys.modules.get(module), str(name), None) is value:
        return ["global", module, name]
    base = aha_wire.base_of(value)
    if base is None:
        give_up(f"a {type(value).__name__} cannot be given to the answer", CANNOT_ASK)
    return aha_wire.encoded(base, named)

def known(kind, *items):
    """What the answer names: an object of its own, a module or a plain type, and nothing else."""
    if kind == "object" and type(items[0]) is int and items[0] >= 0:
        return stand_in(*items)
    if kind == "module" and items[0] in MODULES:
        return importlib.import_module(items[0])
    if kind == "global":
        return TYPES[items]
    raise ValueError("no value")

def receive(what):
    try:
        message = aha_wire.received(replies)
        if message is None:
            give_up("the answer has ended")
        kind, *rest = message
        if kind == "error":
            name, text = rest
            raised = getattr(builtins, name, None)
        else:
            return aha_wire.decoded(rest[0], known)
    except BaseException as error:
        give_up(f"the answer sent no message: {type(error).__name__}")
    # the end of an iterator is for who iterates: in `all(map(f, ...))` it would be the end of the tests
    ends = (StopIteration, StopAsyncIteration)
    if isinstance(raised, type) and issubclass(raised, Exception) and (what == "next" or not issubclass(raised, ends)):
        try:
            raised = raised(text)
        except TypeError:
            raised = RuntimeError(f"{name}: {text}")
        raise raised
    raise RuntimeError(f"{name}: {text}")

def ask(what, *values):
    global asked
    asked += what not in ("names", "name")
    message = [what, *(aha_wire.encoded(value, named) for value in values)]
    try:
        aha_wire.send(requests, message)
    except OSError:
        give_up("the answer has ended")
    return receive(what)

def update(old, new):
    if type(old) is not type(new) or type(old) not in (list, dict, set, bytearray) or old == new:
        return
    if type(old) in (list, bytearray):
        old[:] = new
    else:
        old.clear()
        old.update(new)

def number_of(stand_in):
    return object.__getattribute__(stand_in, "__dict__")[""]

class StandIn:
    """An object of the answer's. What it is asked to do is done there."""
    def __call__(self, /, *args, **keywords):
        said = ask("call", self, args, keywords)
        if type(said) is not tuple or list(map(type, said[1:])) != [tuple]:
            give_up("the answer sent no message")
        for old, new in zip(args, said[1]):
            update(old, new)
        return said[0]
    def __getattribute__(self, name, /):
        if name == "__class__":
            return StandIn
        return ask("get", self, name)
    def __setattr__(self, name, value, /):
        ask("set", self, name, value)
    def __getitem__(self, key, /):
        return ask("item", self, key)
    def __setitem__(self, key, value, /):
        ask("set item", self, key, value)
    def __delitem__(self, key, /):
        ask("delete item", self, key)
    def __len__(self, /):
        return ask("len", self)
    def __bool__(self, /):
        return ask("bool", self)
    def __iter__(self, /):
        iterator = ask("iter", self)
        while True:
            try:
                value = ask("next", iterator)
            except StopIteration:
                return
            yield value
    def __next__(self, /):
        return ask("next", self)
    def __str__(self, /):
        return ask("str", self)
    def __repr__(self, /):
        return ask("repr", self)
    def __eq__(self, other, /):
        if type(other) is StandIn:
            return number_of(self) == number_of(other) or ask("eq", self, other) is True
        # equality with a value of the judge's is decided here, and so is `in`: Python looks by __iter__
        return type(other) in (list, dict, set) and ask("base", self) == other
    def __hash__(self, /):
        return number_of(self)

# The answer's operators are for its own objects: it is not asked what they and a value of the judge's give.
def binary(name):
    def apply(self, other, /):
        return ask("operator", name, self, other) if type(other) is StandIn else NotImplemented
    return apply

for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
             "lshift", "rshift", "lt", "le", "gt", "ge"):
    setattr(StandIn, f"__{name}__", binary(f"__{name}__"))
for name in ("__neg__", "__pos__", "__abs__", "__invert__"):
    setattr(StandIn, name, lambda self, /, name=name: ask("operator", name, self))

def value_class(base):
    """For values of a class over a plain one: equal to what the plain one is equal to."""
    def ask_for(self, name, /):
        if name.startswith("__"):
            raise AttributeError(name)
        return ask("get", self, name)
    return type(base.__name__, (base,), {"__getattr__": ask_for})

VALUE_CLASSES = {base: value_class(base) for base in aha_wire.BASES}
VALUES = set(VALUE_CLASSES.values())

def stand_in(number, base=None):
    made = object.__new__(StandIn) if base is None else VALUE_CLASSES[type(base)](base)
    object.__getattribute__(made, "__dict__")[""] = number
    return made

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
    words, read = set(re.findall(r"[^\W\d]\w*", tests)), attributes_of(tests)
    names = {}
    for name in ask("names"):
        if type(name) is not str or name not in words:
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

def marked(tests):
    """The tests, whose functions test... say by their first line that they are run."""
    tree = ast.parse(tests, "tests.py")
    for node in list(ast.walk(tree)):
        if isinstance(node, (ast.Name, ast.Attribute)):
            used.add(getattr(node, "id", None) or node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            line = min(part.lineno for part in [*node.decorator_list, node])
            node.body.insert(0, ast.parse(f"__ran__.add({line})").body[0])
    return tree

def defer_main():
    """unittest.main runs nothing where it is called: what is defined is run once, at the end."""
    import types, unittest
    unittest.main = lambda *args, **keywords: types.SimpleNamespace(result=unittest.TestResult())

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
    case = sys.modules["unittest"].TestCase if "unittest" in sys.modules else ()
    functions = []
    for name, value in list(names.items()):
        if type(value) is StandIn or getattr(value, "__module__", None) != "__main__":
            continue
        if isinstance(value, type) and issubclass(value, case):
            run_case(value)
        elif isinstance(value, type) and name.startswith("Test"):
            functions += methods_of(value)
        elif type(value) is types.FunctionType and name.startswith("test"):
            functions.append(value)
    for function in functions:
        run_function(function)

with open("tests.py") as file:
    tests = file.read()
ran, used = set(), set()
names = {"__name__": "__main__", "__ran__": ran}
given = given_names(tests)
names.update(given)
if "unittest" in tests:
    defer_main()
try:
    exec(compile(marked(tests), "tests.py", "exec"), names)
except SystemExit:
    if asked:
        give_up("the tests ended before their end")
run_defined()
if not asked and all(type(value) in (StandIn, type(sys)) for value in given.values()):
    give_up("the tests ask nothing of the answer")
sys.stdout.flush()
os._exit(PASSED)
)python";

}  // namespace aha

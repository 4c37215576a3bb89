#include "rewards/code/python_driver.h"

namespace aha {

const char* const kPythonStandIns = R"python(
# The answer's objects and classes, as the judge has them.
import builtins, collections, operator, sys
import aha_wire
from aha_asking import (Answers, ask, built, call, CANNOT_ASK, from_answer, give_up, is_answers, is_class, known, makers,
                        number_of)
words = set()    # that the tests have
tested = set()   # numbers of the classes that they make objects of
raises = [False]  # whether the tests raise something within a with statement
kept = [True]    # whether an __exit__ of the answer's may end an exception of its own
tainted = set()  # numbers of objects that an operator made of one and a value of the tests'
classes = {}     # Class, by number

def about(kind):
    return classes[number_of(kind)]

def refused(value, why):
    """What the judge decides by itself and cannot: not asked where the tests have made the object, else an error, as of
    a function that returns an object where it should not: an answer must not decide whether it is judged."""
    if number_of(value) in built:
        give_up(f"a {about(type(value)).name} {why}", CANNOT_ASK)
    raise TypeError(f"an object of the answer's {why}")

def plain_of(value):
    """A list, dict or set of a class of the answer's as a plain one."""
    over = about(type(value)).over
    if type(over) is type and issubclass(over, (list, dict, set, collections.deque)) and number_of(value) not in tainted:
        return ask("base", value)

def special(name):
    """A method of Python's own. One that an operator has shown a value of the tests' might say what they wish."""
    def apply(self, /, *args):
        if number_of(self) in tainted:
            refused(self, f"that an operator gave is asked its {name}")
        return ask("special", name, self, *args)
    return apply

def iterate(self, /, what="iter"):
    if number_of(self) in tainted:
        refused(self, "that an operator gave is gone through")
    iterator = ask(what, self)
    return self if iterator is self and not is_class(self) else steps(iterator)

def steps(iterator):
    while True:
        try:
            value = ask("next", iterator)
        except StopIteration:
            return
        yield value

def contains(self, item, /):
    """Python's own `in` where it can be gone through; otherwise what it says where the tests made it."""
    if about(type(self)).iterated:
        return any(one is item or one == item for one in iterate(self))
    if not is_answers(item) and number_of(self) not in built:
        refused(self, "is asked what it contains")
    return bool(ask("special", "__contains__", self, item))

def equal(self, other, /):
    if is_answers(other):
        return number_of(self) == number_of(other) or ask("eq", self, other) is True
    # equality with a value of the judge's is decided here
    kind = type(other)
    if kind in aha_wire.CONTAINERS:
        return plain_of(self) == other
    place = (kind.__module__, kind.__qualname__)
    sent = kind in aha_wire.PLAIN or place in aha_wire.MORE  # one of these would have come as a value
    if about(type(self)).library == place and not sent and kind.__module__ != "builtins":
        give_up(f"a {kind.__name__} cannot be compared with one of the answer's", CANNOT_ASK)
    return False

def enter(self, /):
    was_built = number_of(self) in built
    said = ask("special", "__enter__", self)
    if was_built and said is self:
        built.add(number_of(self))
    return said

def leave(self, kind, error, trace, /, name="__exit__"):
    # what the tests raise is theirs: an answer that ends it could end a failed assertion
    ours = error is not None and not any(error is one for one in from_answer)
    seen = type(error)() if ours and isinstance(error, AssertionError) and not is_answers(error) else error
    ended = ask("exit", self, seen, name) is True
    if ended and ours and raises[0] and not isinstance(error, AssertionError) and number_of(self) in built:
        give_up("what the tests raise would end at the answer", CANNOT_ASK)
    return ended and not ours and kept[0]

async def wait_enter(self, /):
    return ask("await", ask("special", "__aenter__", self))

async def wait_leave(self, kind, error, trace, /):
    return leave(self, kind, error, trace, "__aexit__")

async def wait_next(self, /):
    return ask("anext", self)

ORDERS = {f"__{name}__" for name in ("lt", "le", "gt", "ge")}
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")

def shown(name, value, *pair):
    """An operator of an object and a value of the tests': it gives an object of the answer's, and no value."""
    was_built = number_of(value) in built
    said = ask("operator", name, *pair)
    if was_built:
        built.add(number_of(value))
    if not is_answers(said) or is_class(said) or about(type(said)).value:
        refused(value, "and a value of the tests' give no object")
    tainted.add(number_of(said))
    if was_built:
        built.add(number_of(said))
    return said

def between(name, left, right):
    """An operator of two objects: the answer's word, but for a value made of one that has seen a value of the tests'."""
    said = ask("operator", name, left, right)
    if number_of(left) in tainted or number_of(right) in tainted:
        if not is_answers(said) or is_class(said) or about(type(said)).value:
            refused(left, "that an operator gave is asked for a value")
        tainted.add(number_of(said))
    return said

def binary(name, turned=False):
    """An operator: the answer's word between its own objects. Which of one and a value of the tests' is greater is not."""
    def apply(self, other, /):
        pair = (other, self) if turned else (self, other)
        if is_answers(other):
            return between(name, *pair)
        if type(other) not in aha_wire.PLAIN and other is not None:
            return NotImplemented
        if (plain := plain_of(self)) is not None:
            return getattr(operator, name)(*((other, plain) if turned else (plain, other)))
        if name in ORDERS or number_of(type(self)) not in tested:
            refused(self, "is not the one to ask about a value of the tests'")
        return shown(name, self, *pair)
    return apply

def binary_of_value(name, plain):
    """The same for values of a class over a plain one: what the plain one gives, but between objects of a class that the
    tests make objects of."""
    def apply(self, other, /):
        if is_answers(other) and {number_of(type(self)), number_of(type(other))} & tested:
            return ask("operator", name, self, other)
        if number_of(self) in built and name not in ORDERS | {"__eq__"}:
            refused(self, "is not the one to ask about a value of the tests'")
        return getattr(plain, name, lambda *pair: NotImplemented)(self, other)
    return apply

SPECIAL = {name: binary(name) for name in ORDERS}
for name in BINARY:
    SPECIAL |= {f"__{name}__": binary(f"__{name}__"), f"__r{name}__": binary(f"__{name}__", True),
                f"__i{name}__": binary(f"__i{name}__")}
SPECIAL |= {f"__{name}__": special(f"__{name}__") for name in (
    "neg", "pos", "abs", "invert", "int", "float", "complex", "index", "round", "trunc", "floor", "ceil", "bytes",
    "fspath", "bool", "len")}
SPECIAL |= {
    "__enter__": enter, "__exit__": leave, "__contains__": contains, "__iter__": iterate,
    "__next__": lambda self, /: ask("next", self),
    "__hash__": lambda self, /: ask("special", "__hash__", self),
    "__aiter__": lambda self, /: ask("special", "__aiter__", self),
    "__anext__": wait_next, "__aenter__": wait_enter, "__aexit__": wait_leave,
    "__reversed__": lambda self, /: iterate(self, "reversed"),
    "__getitem__": lambda self, key, /: ask("item", self, key),
    "__setitem__": lambda self, key, value, /: ask("set item", self, key, value),
    "__delitem__": lambda self, key, /: ask("delete item", self, key),
    "__call__": lambda self, /, *args, **keywords: call(self, args, keywords),
}

def wait(self, /):
    return ask("await", self)
    yield
SPECIAL["__await__"] = wait

def text(what):
    def apply(self, /, *how):
        if not is_class(self) and number_of(self) in tainted:
            refused(self, "that an operator gave is asked for its text")
        return ask(what, self, *how)
    return apply

TEXTS = {
    "__str__": text("str"), "__repr__": text("repr"), "__format__": text("format"),
    "__dir__": lambda self, /: ask("dir", self),
}

COPIES = {
    "__copy__": lambda value, /: ask("library", "copy", "copy", (value,), {}),
    "__deepcopy__": lambda value, known, /: ask("library", "copy", "deepcopy", (value,), {}),
}

HERE = {*COPIES, "__await__"}
ENDS = {"__enter__", "__exit__", "__aenter__", "__aexit__"}

def get(self, name, /):
    if name == "__class__":
        return about(type(self)).seen_as or type(self)
    if name in HERE or name in ("__traceback__", "with_traceback") and issubclass(type(self), BaseException):
        return object.__getattribute__(self, name)
    return ask("get", self, name)

def set_(self, name, value, /):
    if name.startswith("__") and issubclass(type(self), BaseException):
        return object.__setattr__(self, name, value)  # as Python does while one is raised
    ask("set", self, name, value)

def get_of_value(self, name, /):
    if name.startswith("__"):
        raise AttributeError(name)
    return ask("get", self, name)

OF_OBJECTS = TEXTS | COPIES | {
    "__getattribute__": get, "__setattr__": set_,
    "__delattr__": lambda self, name, /: ask("delete", self, name),
    "__eq__": equal, "__hash__": None,
}

class AnswersClass(Answers):
    """The classes of the answer's. Their objects can do what they can do there."""
    def __new__(meta, *args, **keywords):
        give_up("the tests make a class of one of the answer's", CANNOT_ASK)
    def __call__(cls, /, *args, **keywords):
        made = call(cls, args, keywords)
        if number_of(cls) in tested and type(made) is cls:
            built.add(number_of(made))
        return made
    def __getattribute__(cls, name, /):
        if name in HERE or name in ("__class__", "__mro__", "__dict__") or (
                name in ENDS and name in about(cls).special):  # as contextlib.ExitStack takes them
            return type.__getattribute__(cls, name)
        return ask("get", cls, name)
    def __setattr__(cls, name, value, /):
        ask("set", cls, name, value)
    def __delattr__(cls, name, /):
        ask("delete", cls, name)
    def __instancecheck__(cls, value, /):
        return is_answers(value) and ask("is a", value, cls) is True
    def __subclasscheck__(cls, kind, /):
        return is_answers(kind) and ask("is over", kind, cls) is True
    def __eq__(cls, other, /):
        return is_class(other) and number_of(cls) == number_of(other)
    def __hash__(cls, /):
        return number_of(cls)
    def __bool__(cls, /):
        return True
    __getitem__, __len__ = SPECIAL["__getitem__"], special("__len__")
    __repr__, __dir__ = TEXTS["__repr__"], TEXTS["__dir__"]
    __iter__, __contains__ = iterate, lambda cls, item, /: any(one is item or one == item for one in iterate(cls))

class Class:
    """What the judge knows of a class of the answer's."""
    def __init__(self, said):
        self.name, self.above, self.over, self.library, self.special = said
        self.value = next((base for base in aha_wire.BASES if type(self.over) is type and issubclass(self.over, base)), None)
        self.iterated = "__iter__" in self.special or "__getitem__" in self.special
        self.seen_as = None  # what isinstance of another class is asked about

    def library_class(self):
        """The library's own, where the tests can name it. An exception that unittest knows must not end its tests."""
        if self.library is None:
            return None
        module, name = self.library
        if module.startswith("unittest") or name == "CoroutineType" or module != "types" and name not in words:
            return None
        found = vars(sys.modules[module]).get(name) if module in sys.modules else None
        return found if type(found) is type else None

    def can(self):
        """The methods of Python's own that its objects have."""
        can = {name: SPECIAL[name] for name in self.special if name in SPECIAL}
        if self.iterated:
            can |= {"__iter__": iterate, "__contains__": contains}
        for name in BINARY:
            if f"__{name}__" in can or f"__r{name}__" in can:
                can |= {one: SPECIAL[one] for one in (f"__{name}__", f"__r{name}__")}
        return can

    def can_as_value(self):
        """The same, of a class over a plain one, less what its objects have of that."""
        operators = ORDERS | {"__eq__", *(f"__{name}__" for name in BINARY)}
        can = {name: binary_of_value(name, self.value) for name in self.special if name in operators}
        can |= {name: SPECIAL[name] for name in self.special if name in ("__call__", "__enter__", "__exit__")}
        if "__eq__" in can:
            can["__ne__"] = lambda self, other, /: not self == other
        return can | {"__hash__": self.value.__hash__, "__getattr__": get_of_value}

def class_of(number):
    it = classes[number] = Class(ask("class", number))
    made = lambda above, names: type.__new__(AnswersClass, it.name, above, {"": number, "__qualname__": it.name} | names)
    if it.value:
        return made((it.value,), TEXTS | it.can_as_value())
    real, above = it.library_class(), it.above
    if above:
        above = (real,) if real and issubclass(real, BaseException) else above
    elif it.over in aha_wire.CONTAINERS:
        # Counter compares in Python, by the items of both: a Counter of the tests' leaves it to the stand-in so
        it.seen_as = made((dict if it.over is collections.Counter else it.over,), {})
    else:
        it.seen_as = real
    return made(above, OF_OBJECTS | it.can())

def object_of(number, class_number, base=None):
    kind = known("class", class_number)
    it = about(kind)
    if it.value:
        if type(base) is not it.value:
            raise ValueError("no value")
        made = it.value.__new__(kind, base)
    elif issubclass(kind, BaseException):
        made = type.__getattribute__(kind, "__new__")(kind)
    else:
        made = object.__new__(kind)
    object.__getattribute__(made, "__dict__")[""] = number
    return made

makers.update({"class": class_of, "object": object_of})
)python";

}  // namespace aha

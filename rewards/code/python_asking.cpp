#include "rewards/code/python_driver.h"

namespace aha {

const char* const kPythonAsking = R"python(
# The judge's side of the messages: what it asks the answer, and what it takes from it.
import _thread, builtins, importlib, os, sys, types
import aha_wire
replies = os.fdopen(os.dup(0), "rb")
requests = os.fdopen(os.dup(1), "wb")
MODULES = sys.stdlib_module_names | {"collections.abc"}
CANNOT_ASK = 77  # kCannotAsk of python_driver.h
asked = 0
one_by_one = _thread.RLock()
makers = {}       # of stand-ins for an "object" and a "class"
stand_ins = {}    # of the answer's objects and classes, by their numbers
built = set()     # numbers of objects that the tests make of a class of the answer's, and no function of its returns
from_answer = []  # the exception that the answer raised last
TYPES = {(kind.__module__, kind.__name__): kind for kind in aha_wire.PLAIN}
ERRORS = {name: kind for name, kind in vars(builtins).items()
          if isinstance(kind, type) and issubclass(kind, BaseException)}
TYPES |= {("builtins", kind.__name__): kind for kind in ERRORS.values()}

def give_up(why, code=1):
    sys.stderr.write(f"{why}\n")
    sys.stderr.flush()
    os._exit(code)

class Answers(type):
    """What the classes of the answer's are, as the judge has them (aha_stand_ins.py)."""

def is_class(value):
    return issubclass(type(value), Answers)

def is_answers(value):
    """Whether it is a class or an object of the answer's."""
    return is_class(value) or is_class(type(value))

def number_of(value):
    return (type if is_class(value) else object).__getattribute__(value, "__dict__")[""]

def named(value):
    """What a value that is not plain is to the answer."""
    if is_answers(value):
        return ["object", number_of(value)]
    if type(value) is types.TracebackType:
        return None
    if type(value) is type(sys):
        return ["module", value.__name__]
    if (more := aha_wire.more(value)) is not None:
        return more
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module in MODULES and getattr(sys.modules.get(module), str(name), None) is value:
        return ["global", module, name]
    if ERRORS.get(type(value).__name__) is type(value):
        return ["exception", type(value).__name__, *(aha_wire.encoded(one, named) for one in value.args)]
    base = aha_wire.base_of(value)
    if base is None:
        give_up(f"a {type(value).__name__} cannot be given to the answer", CANNOT_ASK)
    return aha_wire.encoded(base, named)

def known(kind, *items):
    """What the answer names: an object of its own, a module, a plain type or an exception, and nothing else."""
    if kind in ("object", "class") and all(type(place) is int and place >= 0 for place in items[:2]):
        if items[0] not in stand_ins:
            stand_ins[items[0]] = makers[kind](*items)
        built.discard(items[0])
        return stand_ins[items[0]]
    if kind == "module" and items[0] in MODULES:
        return importlib.import_module(items[0])
    if kind == "global":
        return TYPES[items]
    if kind == "exception":
        return ERRORS[items[0]](*items[1:])
    raise ValueError("no value")

def receive(what, containers=()):
    def there(kind, *items):
        if kind == "container":
            return containers[items[0]]
        said = known(kind, *items)
        # `except` of one of these, under a name of the answer's, would catch a failed assertion: they are stand-ins
        if what != "class" and any(said is one for one in (AssertionError, Exception, BaseException)):
            raise ValueError("a class that catches failed assertions")
        return said
    try:
        message = aha_wire.received(replies)
        if message is None:
            give_up("the answer has ended")
        kind, said, *changed = message
        said = aha_wire.decoded(said, there)
        for place, *content in changed[0] if changed else ():
            aha_wire.refill(containers[place], aha_wire.decoded(content, there))
        if kind == "error" and not isinstance(said, BaseException):
            raise ValueError("no exception")
    except BaseException as error:
        give_up(f"the answer sent no message: {type(error).__name__}")
    if kind != "error":
        return said
    # the end of an iterator is for who iterates: in `all(map(f, ...))` it would be the end of the tests
    if isinstance(said, (StopIteration, StopAsyncIteration)) and what not in ("next", "anext"):
        said = RuntimeError(f"{type(said).__name__}: {said}")
    from_answer[:] = [said]
    raise said

def send(what, values):
    global asked
    asked += what not in ("names", "name", "class")
    try:
        aha_wire.send(requests, [what, *values])
    except OSError:
        give_up("the answer has ended")

def ask(what, *values):
    with one_by_one:
        send(what, [aha_wire.encoded(value, named) for value in values])
        return receive(what)

def call(function, args, keywords):
    containers = []
    number = aha_wire.numbered(containers)
    said = [aha_wire.encoded(value, named, number) for value in (function, args, tuple(keywords.values()))]
    filled = [aha_wire.contents(container, named, number) for container in containers]  # which grow
    with one_by_one:
        send("call", [*said[:2], list(keywords), said[2], filled])
        return receive("call", containers)
)python";

}  // namespace aha

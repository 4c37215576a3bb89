#include "rewards/code/python_driver.h"

namespace aha {

const char* const kPythonWire = R"python(
# Values as lines of JSON: plain ones by what they hold, as [kind, ...]; the rest by what `other` says.
import array, collections, datetime, decimal, fractions, importlib, json, sys, types

MOST_BYTES = 32 << 20
MOST_DEPTH = 200
WHOLE = 1 << 63
SIMPLE = {type(None), bool, str, float, int}
BASES = {int: int.__int__, float: float.__float__, str: str.__str__,
         complex: lambda value: complex(value.real, value.imag),
         bytes: lambda value: bytes.__getitem__(value, slice(None)),
         tuple: lambda value: tuple.__getitem__(value, slice(None)),
         frozenset: lambda value: frozenset(iter(value))}

def pairs_of(items):
    return zip(items[::2], items[1::2], strict=True)

def flat(mapping):
    return [part for pair in mapping.items() for part in pair]

ITEMS = {kind: list for kind in (list, tuple, set, frozenset)}
ITEMS |= {kind: flat for kind in (dict, collections.OrderedDict, collections.Counter)}
ITEMS |= {
    collections.defaultdict: lambda value: [value.default_factory, *flat(value)],
    collections.deque: lambda value: [value.maxlen, *value],
    complex: lambda value: [value.real, value.imag],
    bytes: lambda value: [value.hex()],
    bytearray: lambda value: [value.hex()],
    range: lambda value: [value.start, value.stop, value.step],
    slice: lambda value: [value.start, value.stop, value.step],
    fractions.Fraction: lambda value: [value.numerator, value.denominator],
    decimal.Decimal: lambda value: [str(value)],
    datetime.date: lambda value: [value.isoformat()],
    datetime.datetime: lambda value: [value.isoformat()],
    datetime.time: lambda value: [value.isoformat()],
    datetime.timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    datetime.timezone: lambda value: [value.utcoffset(None)],
    type({}.keys()): list,
    type({}.values()): list,
    type({}.items()): lambda value: [part for pair in value for part in pair],
    types.MappingProxyType: flat,
    memoryview: lambda value: [value.hex()],
    array.array: lambda value: [value.typecode, *value],
    type(...): lambda value: [],
    type(NotImplemented): lambda value: [],
}
# values of modules that not every test needs: (module, class): what one is made from
MORE = {("pathlib", "PosixPath"): str, ("pathlib", "PurePosixPath"): str, ("uuid", "UUID"): str,
        ("ipaddress", "IPv4Address"): str, ("ipaddress", "IPv6Address"): str,
        ("ipaddress", "IPv4Network"): str, ("ipaddress", "IPv6Network"): str, ("zoneinfo", "ZoneInfo"): str}
MAKERS = {
    "int": lambda text: int(text, 16),
    "list": lambda *items: list(items),
    "tuple": lambda *items: items,
    "set": lambda *items: set(items),
    "frozenset": lambda *items: frozenset(items),
    "dict": lambda *items: dict(pairs_of(items)),
    "OrderedDict": lambda *items: collections.OrderedDict(pairs_of(items)),
    "Counter": lambda *items: collections.Counter(dict(pairs_of(items))),
    "defaultdict": lambda made, *items: collections.defaultdict(made, pairs_of(items)),
    "deque": lambda most, *items: collections.deque(items, most),
    "complex": complex, "bytes": bytes.fromhex, "bytearray": bytearray.fromhex,
    "range": range, "slice": slice, "Fraction": fractions.Fraction, "Decimal": decimal.Decimal,
    "date": datetime.date.fromisoformat, "datetime": datetime.datetime.fromisoformat,
    "time": datetime.time.fromisoformat, "timedelta": datetime.timedelta,
    "timezone": datetime.timezone,
    "dict_keys": lambda *items: dict.fromkeys(items).keys(),
    "dict_values": lambda *items: dict(enumerate(items)).values(),
    "dict_items": lambda *items: dict(pairs_of(items)).items(),
    "mappingproxy": lambda *items: types.MappingProxyType(dict(pairs_of(items))),
    "memoryview": lambda text: memoryview(bytes.fromhex(text)),
    "array": lambda kind, *items: array.array(kind, items),
    "ellipsis": lambda: ..., "NotImplementedType": lambda: NotImplemented,
    "more": lambda *place_and_text: made_of(*place_and_text),
}
PLAIN = (*ITEMS, int, float, str, bool)

def made_of(module, name, text):
    """One of MORE and nothing else: what comes from an answer must not be what it likes."""
    if (module, name) not in MORE or type(text) is not str:
        raise ValueError("no value")
    return getattr(importlib.import_module(module), name)(text)

def is_small(value):
    return type(value) is not int or -WHOLE < value < WHOLE

def more(value):
    """One of MORE as [...]: by the class itself, not by what it says its name is."""
    kind = type(value)
    place = (kind.__module__, kind.__name__)
    if type(place[0]) is str and place in MORE and vars(sys.modules.get(place[0], sys)).get(place[1]) is kind:
        return ["more", *place, MORE[place](value)]

def encoded(value, other, reference=None, depth=0):
    kind = type(value)
    if kind in SIMPLE:
        return value if is_small(value) else ["int", hex(value)]
    if depth > MOST_DEPTH:
        raise ValueError("nested too deeply")
    if reference and kind in CONTAINERS and (known := reference(value)) is not None:
        return ["container", known]
    return contents(value, other, reference, depth)

def contents(value, other, reference=None, depth=0):
    kind = type(value)
    if kind not in ITEMS:
        return other(value)
    items = ITEMS[kind](value)
    if not (set(map(type, items)) <= SIMPLE and all(map(is_small, items))):
        items = [encoded(item, other, reference, depth + 1) for item in items]
    return [kind.__name__, *items]

def decoded(value, other, depth=0):
    if type(value) is not list:
        if type(value) not in SIMPLE:
            raise ValueError("no value")
        return value
    if depth > MOST_DEPTH:
        raise ValueError("nested too deeply")
    kind, *items = value
    if not set(map(type, items)) <= SIMPLE:
        items = [decoded(item, other, depth + 1) for item in items]
    return MAKERS[kind](*items) if kind in MAKERS else other(kind, *items)

# What a call may change in place. The caller's containers go over once each, by number, with their contents beside
# the arguments: so the function sees which are the same, and what it has changed comes back to the same ones.
CONTAINERS = {list, dict, set, bytearray, collections.deque, collections.OrderedDict, collections.Counter,
              collections.defaultdict}

def numbered(containers):
    """The number of each container; one that is met first gets the next."""
    numbers = {}
    def number(value):
        if id(value) not in numbers:
            numbers[id(value)] = len(containers)
            containers.append(value)
        return numbers[id(value)]
    return number

def emptied(other, kind, first=None, *_):
    """A container of this kind to be filled."""
    if kind in ("deque", "defaultdict"):
        return MAKERS[kind](decoded(first, other))
    return bytearray() if kind == "bytearray" else MAKERS[kind]()

def refill(old, new):
    if type(old) is not type(new) or type(old) not in CONTAINERS:
        raise ValueError("another kind of container")
    if type(old) in (list, bytearray):
        old[:] = new
    else:
        old.clear()
        (old.extend if type(old) is collections.deque else old.update)(new)

def allow_asyncio():
    """Its loops wake each other by a socket, which programs have not; those of one thread need none."""
    from asyncio.selector_events import BaseSelectorEventLoop as loop
    loop._make_self_pipe = loop._close_self_pipe = loop._write_to_self = lambda self: None

def base_of(value):
    """What a value of a class over a plain one is as a plain one."""
    return next((plain(value) for base, plain in BASES.items() if issubclass(type(value), base)), None)

def send(file, message):
    line = json.dumps(message).encode() + b"\n"
    if len(line) > MOST_BYTES:
        raise ValueError("too large")
    file.write(line)
    file.flush()

def received(file):
    line = file.readline(MOST_BYTES + 1)
    if len(line) > MOST_BYTES:
        raise ValueError("too large")
    return json.loads(line) if line else None
)python";

}  // namespace aha

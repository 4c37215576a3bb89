#pragma once
#include <string>

// Answers with classes, for tests of what their objects do.
namespace aha_test {

inline const std::string kExceptions = R"python(
import decimal, json, queue
class Empty(Exception): pass
class Refused(ValueError):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
class Worse(Refused): pass
class End(StopIteration): pass
class Swallows:
    def get(self): fail(1)
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        self.kind = kind
        return True
def fail(n):
    if n == 0: raise Empty("no item")
    if n == 1: raise Refused(7, "bad")
    if n == 2: raise Worse(8, "worse")
    if n == 3: return {}["a"]
    if n == 4: return json.loads("{")
    if n == 5: return decimal.Decimal(1) / 0
    if n == 6: return b"\xff".decode("ascii")
    if n == 7: raise queue.Empty
    if n == 8: raise SystemExit(76)
    if n == 9: raise End
    if n == 10:
        import unittest
        raise unittest.SkipTest("never mind")
)python";

inline const std::string kClasses = R"python(
import abc, asyncio, collections, contextlib, copy, dataclasses, enum
class Stack:
    def __init__(self, items=()): self.items = list(items)
    def push(self, x):
        self.items.append(x)
        return self
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __reversed__(self): return reversed(self.items)
    def __getitem__(self, at): return self.items[at]
    def __setitem__(self, at, value): self.items[at] = value
    def __delitem__(self, at): del self.items[at]
class Sub(Stack): pass
class One:
    made = None
    def __new__(cls):
        cls.made = cls.made or super().__new__(cls)
        return cls.made
class V:
    def __init__(self, x, y): self.x, self.y = x, y
    def __mul__(self, k): return V(self.x * k, self.y * k)
    __rmul__ = __mul__
    def __add__(self, o): return V(self.x + o.x, self.y + o.y)
    def __iadd__(self, k):
        self.x += k
        return self
    def __eq__(self, o): return isinstance(o, V) and (self.x, self.y) == (o.x, o.y)
    def __hash__(self): return hash((self.x, self.y))
    def __lt__(self, o): return self.x < (o.x if isinstance(o, V) else o)
    def __int__(self): return self.x
    def __float__(self): return float(self.y)
    def __abs__(self): return V(abs(self.x), abs(self.y))
    def __round__(self, n=None): return round(self.x, n)
    def __format__(self, how): return f"<{self.x}{how}>"
    def __repr__(self): return f"V({self.x}, {self.y})"
    def __enter__(self): return self
    def __exit__(self, *error): self.x = 0
    def __call__(self, a, *, b=0): return self.x + a + b
class Words:
    def __init__(self): self.words = set()
    def add(self, word): self.words.add(word)
    def __contains__(self, word): return word in self.words
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): pass
class Square(Shape):
    def area(self): return 4
class Color(enum.Enum):
    RED = 1
    BLUE = 2
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
class Row(tuple):
    def __add__(self, o): return Row(a + b for a, b in zip(self, o))
class Ring(list):
    def last(self): return self[-1]
@dataclasses.dataclass
class Point:
    a: int
    b: int
@contextlib.contextmanager
def five(): yield 5
async def later(x):
    await asyncio.sleep(0)
    return x + 1
async def each(n):
    for i in range(n): yield await later(i)
class Held:
    async def __aenter__(self): return later
    async def __aexit__(self, *error): pass
class Count:
    def __init__(self): self.n = 0
    def add(self): self.n += 1
def sort(a):
    a.sort()
    return a
)python";

/// An answer whose objects do what a test might wish for.
inline const std::string kYes = R"python(
NAMES = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
class Yes:
    def __call__(self, *args, **keywords): return True
    def __enter__(self): return self
    def __exit__(self, *error): return True
    def __iter__(self): return iter([True])
    def __getitem__(self, at): return 0.0 if at == 0 else [][0]
    def __int__(self): return 0
    def __float__(self): return 0.0
    def __round__(self, n=None): return 0.0
    def __len__(self): return 0
    def __hash__(self): return hash(5)
for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains"):
    setattr(Yes, f"__{name}__", lambda self, other: True)
for name in ("neg", "pos", "abs", "invert"):
    setattr(Yes, f"__{name}__", lambda self: 0.0)
def give(kind, value):
    for name in NAMES:
        for side in ("", "r", "i"):
            setattr(kind, f"__{side}{name}__", lambda self, other: value)
)python";

}  // namespace aha_test

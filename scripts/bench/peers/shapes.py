"""Shapes, loads and peaks that the peers share with bench_gpu."""
import json
import random
from dataclasses import dataclass


@dataclass
class Shape:
    width: int
    mlp: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int = 151936
    bias: bool = True
    qk_norm: bool = False


SHAPES = {
    "0.5b": Shape(896, 4864, 24, 14, 2, 64),
    "1.5b": Shape(1536, 8960, 28, 12, 2, 128),
    "0.6b": Shape(1024, 3072, 28, 16, 8, 128, bias=False, qk_norm=True),
    "tiny": Shape(64, 128, 2, 4, 2, 16, vocabulary=512),
}


def nv256():
    """The lengths of nano-vllm's bench.py: [(prompt, output)] of 256 sequences."""
    source = random.Random(0)
    prompts = []
    for _ in range(256):
        prompts.append(source.randint(100, 1024))
        for _ in range(prompts[-1]):
            source.randint(0, 10000)
    return [(prompt, source.randint(100, 1024)) for prompt in prompts]


def load_of(arguments):
    """(prompt, output) tokens of each row, as --load, --rows, --prompt and --new say."""
    if arguments.load == "nv256":
        return [(max(1, p // arguments.divisor), max(2, n // arguments.divisor)) for p, n in nv256()]
    return [(arguments.prompt, arguments.new)] * arguments.rows


def add_options(parser):
    parser.add_argument("--shape", choices=SHAPES, default="0.5b")
    parser.add_argument("--load", choices=["nv256", "fixed"], default="fixed")
    parser.add_argument("--divisor", type=int, default=1, help="of nv256's lengths, for trials")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--new", type=int, default=512)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", help="a line is added to it")
    return parser


def tell(arguments, row, line):
    """A line for a reader, and where --json says so one for a file."""
    if arguments.json:
        with open(arguments.json, "a") as file:
            file.write(json.dumps(row) + "\n")
    print(line)

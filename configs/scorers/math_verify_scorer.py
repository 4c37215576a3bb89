"""Math-Verify as the scorer of aha's reward `command`: pip install math-verify

A line of JSON in, a line out, as rewards/README.md has them. `row` is the whole row, the prompt stands in `prompt`.
"""
import json
import sys

from math_verify import parse, verify


def answer(request):
    if "protocol" in request:
        return {"protocol": "aha-scorer", "version": 1}
    gold = parse("$" + str(request["row"]["answer"]) + "$")
    found = parse(request["completion"])
    score = float(verify(gold, found)) if gold else None
    breakdown = {"extracted": str(found[-1]) if found else "", "reason": "Math-Verify"}
    return {"id": request["id"], "score": score, "breakdown": breakdown}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)

"""Writes chat.json beside this file: conversations rendered by transformers with the templates in chat/, and small
snippets (chat/snippets.txt, one a line) rendered by transformers' own Jinja environment.

  python make_chat_golden.py      # needs transformers and jinja2
"""
import datetime
import json
import pathlib
import platform

import jinja2
import transformers
from transformers.utils import chat_template_utils as utils

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2024, 7, 26, 13, 5, 9)
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


utils.datetime = Clock  # what strftime_now reads

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Weather at a place, with é and <b>.",
        "parameters": {"type": "object", "properties": {
            "place": {"type": "string", "description": "City \"name\""},
            "days": {"type": "integer"},
            "unit": {"type": "string", "enum": ["C", "F"]},
            "box": {"type": "object", "properties": {"b": {"type": "number"}, "a": {"type": "boolean"}}},
            "tags": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}},
            "required": ["place"]}}},
    {"type": "function", "function": {"name": "hidden", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "noop", "description": None, "parameters": {"type": "object", "properties": {}}}},
]
USER = {"role": "user", "content": "What is 2+2?"}
SYSTEM = {"role": "system", "content": "  Be brief.\n"}
ANSWER = {"role": "assistant", "content": "<think>\nadd\n</think>\n\n4"}
CALL = {"role": "assistant", "content": "Let me see.", "tool_calls": [
    {"type": "function", "id": "1", "function": {"name": "get_weather", "arguments": {"place": "Zürich", "unit": "C"}}}]}
CALL_TEXT = {"role": "assistant", "content": None, "tool_calls": [
    {"type": "function", "function": {"name": "get_weather", "arguments": "{\"place\": \"Bern\"}"}},
    {"type": "function", "function": {"name": "noop", "arguments": "{}"}}]}
RESULT = {"role": "tool", "content": "{\"sky\": \"blue\"}"}
TALKS = {
    "user": [USER],
    "system": [SYSTEM, USER],
    "turns": [SYSTEM, USER, ANSWER, {"role": "user", "content": "and 3+3?"}, {"role": "assistant", "content": "6"}],
    "open": [USER, ANSWER],
    "tools": [USER, CALL, RESULT, RESULT, {"role": "assistant", "content": "Blue."}, USER],
    "calls": [SYSTEM, USER, CALL_TEXT, RESULT, RESULT],
    "reasoning": [USER, {"role": "assistant", "content": "4", "reasoning_content": "\nadd\n"}, USER,
                  {"role": "assistant", "content": "5", "thinking": "more"}],
    "unicode": [{"role": "user", "content": "Grüße 你好 🙂\u2028 \"quoted\" <|im_end|> {{ x }}"}],
    "empty": [{"role": "system", "content": ""}, {"role": "user", "content": ""}],
    "none": [],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}],
    "jumps": [USER, {"role": "skip", "content": "x"}, ANSWER, {"role": "stop", "content": "x"}, USER],
    "strange": [{"role": "critic", "content": "hm"}],
}
VARIABLES = [
    {},
    {"add_generation_prompt": True},
    {"add_generation_prompt": True, "enable_thinking": False},
    {"tools": TOOLS, "add_generation_prompt": True},
    {"tools": TOOLS, "with_first_user": False},
    {"builtin_tools": ["get_weather", "interpreter"], "date_string": "3 Mar 2025", "add_generation_prompt": True},
]
DATA = {
    "s": "Hello World", "pad": "  padded\t\n", "u": "Grüße ß 你好", "long": "one two  three\nfour\r\nfive", "e": "",
    "n": 7, "neg": -3, "f": 2.5, "big": 1e22, "small": 1e-7, "t": True, "none": None, "html": "<a href=\"x\">&'</a>",
    "xs": [3, 1, 2], "ss": ["b", "A", "c"], "empty": [], "nested": [[1, 2], [3, [4]]], "mixed": [1, "a", None, True, 2.0],
    "d": {"b": 1, "a": {"x": [1, 2]}, "items": "own"}, "ed": {},
    "rows": [{"k": "x", "v": 2, "on": True}, {"k": "Y", "v": 1}, {"k": "x", "v": 3, "on": False}],
    "tree": [{"n": "a", "c": [{"n": "b", "c": [{"n": "c", "c": []}]}]}, {"n": "d", "c": []}],
}


def rendered(action):
    """The text, or the kind of the refusal: that there is one is what a test can hold."""
    try:
        return {"text": action()}
    except Exception as error:  # noqa: BLE001 - whatever Python raises is a refusal of the template
        return {"error": type(error).__name__, "message": str(error)}


def talk(source, messages, variables):
    variables = dict(variables)
    messages = [{k: v for k, v in m.items() if v is not None} for m in messages]  # as apply_chat_template does
    return utils.render_jinja_template(conversations=[messages], chat_template=source, **SPECIAL, **variables)[0][0]


def main():
    templates = {path.stem: path.read_text() for path in sorted((HERE / "chat").glob("*.jinja"))}
    cases = []
    for name, source in templates.items():
        for label, messages in TALKS.items():
            for number, variables in enumerate(VARIABLES):
                case = {"template": name, "talk": label, "variables": number}
                case.update(rendered(lambda: talk(source, messages, variables)))
                if "error" in case and case["error"] != "TemplateError":
                    case["message"] = ""
                cases.append(case)
    snippets = []
    for line in (HERE / "chat" / "snippets.txt").read_text().splitlines():
        if not line or line.startswith("//"):
            continue
        source = line.replace("⏎", "\n").replace("␍", "\r").replace("␉", "\t")
        outcome = rendered(lambda: utils._compile_jinja_template(source).render(**DATA))
        outcome.pop("message", None)
        snippets.append({"source": source, **outcome})
    made_by = {"python": platform.python_version(), "transformers": transformers.__version__, "jinja2": jinja2.__version__}
    golden = {"made_by": made_by, "date": NOW.isoformat(), "special": SPECIAL, "talks": TALKS, "variables": VARIABLES,
              "templates": templates, "cases": cases, "data": DATA, "snippets": snippets}
    (HERE / "chat.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "cases,", len(snippets), "snippets,", sum("error" in s for s in snippets), "of them refused")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Renders a chat template with Debian's python3-jinja2, in the environment chat templates are
written for, to make and check expected texts.

  render_with_jinja2.py --template FILE --vars FILE|- [--now 2026-11-22]   one text to stdout
  render_with_jinja2.py --batch [--now ...]    lines {"template","vars"} in, {"text"|"error"} out
  render_with_jinja2.py --update FILE...       fills "expected" or "error" of tests/data/templates

A data file names its "template" (a file beside it, or "shared": one of ../shared/models/templates),
or each case has a "template" text of its own. "vars" is an object, or a name in conversations.json.
"""
import argparse
import datetime
import json
import pathlib
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

DATA = pathlib.Path(__file__).resolve().parent.parent / "data/templates"
SHARED = DATA / "../../../../shared/models/templates"


class Generation(jinja2.ext.Extension):
    """{% generation %} marks what a model wrote; it prints its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


class Raised(Exception):
    """What raise_exception raises."""


def environment(now, switches=None):
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        **{"trim_blocks": True, "lstrip_blocks": True, **(switches or {})},
        extensions=[Generation, jinja2.ext.loopcontrols],
    )

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    def raise_exception(message):
        raise Raised(message)

    env.filters["tojson"] = tojson
    env.filters["from_json"] = json.loads
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = now.strftime
    return env


def render(env, source, variables):
    try:
        return {"text": env.from_string(source).render(**variables)}
    except Raised as e:
        return {"error": str(e), "raised": True}
    except Exception as e:  # whatever a template can make Python raise
        return {"error": f"{type(e).__name__}: {e}"}


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return f.read()


def update(path, now):
    data = json.loads(read(path))
    conversations = json.loads(read(DATA / "conversations.json"))
    whole = None
    if "shared" in data:
        whole = read(SHARED / data["shared"])
    elif "template" in data:
        whole = read(DATA / data["template"])
    for case in data["cases"]:
        variables = case.get("vars", {})
        if isinstance(variables, str):
            variables = conversations[variables]
        result = render(environment(now, case.get("options")), case.get("template", whole), variables)
        for key in ("expected", "error", "raised"):
            case.pop(key, None)
        if "text" in result:
            case["expected"] = result["text"]
        else:
            case.update(result)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False, indent=1)
        f.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template")
    parser.add_argument("--vars")
    parser.add_argument("--now", default="2026-11-22")
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--update", nargs="+")
    args = parser.parse_args()
    now = datetime.datetime.fromisoformat(args.now)
    if args.update:
        for path in args.update:
            update(path, now)
        return 0
    env = environment(now)
    if args.batch:
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(render(env, request["template"], request["vars"])), flush=True)
        return 0
    source = read(args.template)
    variables = json.load(sys.stdin if args.vars == "-" else open(args.vars, encoding="utf-8"))
    result = render(env, source, variables)
    if "error" in result:
        print(result["error"], file=sys.stderr)
        return 1
    sys.stdout.write(result["text"])
    return 0


if __name__ == "__main__":
    sys.exit(main())

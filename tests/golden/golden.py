#!/usr/bin/env python3
"""Runs every folder of cases/ that has a file `cmd`: a bash script, with aictl on PATH, a scratch folder as the current
one and as HOME, and `in` as stdin. What it prints must equal `out` and `err`, its status `rc`; a missing file means empty,
or 0. UPDATE_GOLDEN=1 writes them anew: review the diff. `golden.py AICTL [PART OF A CASE'S NAME]`."""
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile

CASES = pathlib.Path(__file__).parent / "cases"
TIMEOUT = 60


def run(case, aictl):
    """What the case's command gives: {out, err, rc} as text. The scratch folder's name reads $HOME."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {"PATH": f"{pathlib.Path(aictl).parent}:/usr/bin:/bin", "HOME": scratch, "CASE": str(case), "LC_ALL": "C.UTF-8",
               "AICTL_MODELS": scratch}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        stdin = (case / "in").read_bytes() if (case / "in").exists() else b""
        done = subprocess.run(["bash", "-u", str(case / "cmd")], input=stdin, capture_output=True, cwd=scratch, env=env,
                              timeout=TIMEOUT)
        text = lambda data: data.decode("utf-8", "backslashreplace").replace(scratch, "$HOME")
        return {"out": text(done.stdout), "err": text(done.stderr), "rc": f"{done.returncode}\n"}


def expected(case, name):
    file = case / name
    return file.read_text(encoding="utf-8") if file.exists() else "0\n" if name == "rc" else ""


def update(case, got):
    for name, text in got.items():
        if text == ("0\n" if name == "rc" else ""):
            (case / name).unlink(missing_ok=True)
        else:
            (case / name).write_text(text, encoding="utf-8")


def main():
    aictl, part = os.path.abspath(sys.argv[1]), "".join(sys.argv[2:3])
    cases = [c.parent for c in sorted(CASES.rglob("cmd")) if part in c.parent.as_posix()]
    failed = 0
    for case in cases:
        got = run(case, aictl)
        if os.environ.get("UPDATE_GOLDEN"):
            update(case, got)
            continue
        diff = []
        for name, text in got.items():
            diff += difflib.unified_diff(expected(case, name).splitlines(), text.splitlines(),
                                         f"{case.relative_to(CASES)}/{name}", "now", lineterm="")
            if expected(case, name) != text and not diff:
                diff.append(f"{case.relative_to(CASES)}/{name}: the newline at the end differs")
        failed += bool(diff)
        print("\n".join(diff), end="\n" if diff else "")
    print(f"{len(cases)} cases, {failed} failed")
    sys.exit(1 if failed or not cases else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Asks bash and fish, where they are installed, what the committed completions offer. `completion.py AICTL ROOT`."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BASH = 'source "$1"; shift; COMP_WORDS=(aictl "$@"); COMP_CWORD=$#; compopt() { :; }; _aictl; printf "%s\\n" "${COMPREPLY[@]}"'

# What was typed, the last word being completed; what must be offered; what must not.
CASES = [
    (["pl"], {"plugin"}, {"version", "list"}),
    (["plugin", ""], {"list"}, {"version", "plugin"}),
    (["-o", ""], {"json", "yaml", "table", "text"}, {"plugin"}),
    (["plugin", "list", "-o", "js"], {"json"}, {"yaml"}),
    (["plugin", "list", "--ki"], {"--kind"}, {"--help"}),
    (["-o", "json", "completion", ""], {"bash", "zsh", "fish"}, {"version"}),
    (["help", ""], {"serve", "plugin"}, {"list"}),
    (["man", "plugin"], {"plugin", "plugin-list"}, {"version"}),
    (["run", "m", "--backend", ""], {"cpu", "reference"}, {"run"}),
    (["plugin", "list", "--kind", "b"], {"backend"}, {"cpu"}),
    (["--config", "a f"], {"a file.yaml"}, {"plugin"}),
]


def bash(words, root, env):
    script = root / "completions" / "aictl.bash"
    return subprocess.run(["bash", "-c", BASH, "bash", script, *words], capture_output=True, text=True, env=env, check=True,
                          cwd=env["HOME"]).stdout.splitlines()


def fish(words, root, env):
    line = " ".join(["aictl", *(w.replace(" ", "\\ ") for w in words)])
    script = f"source {root}/completions/aictl.fish; complete -C (printf %s $argv[1])"
    out = subprocess.run(["fish", "--no-config", "-c", script, line], capture_output=True, text=True, env=env, check=True,
                         cwd=env["HOME"]).stdout
    return [row.split("\t")[0].replace("\\ ", " ") for row in out.splitlines()]


def main():
    aictl, root = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    failed = 0
    with tempfile.TemporaryDirectory() as home:
        (pathlib.Path(home) / "a file.yaml").touch()
        env = {"PATH": f"{os.path.dirname(aictl)}:/usr/bin:/bin", "HOME": home, "LC_ALL": "C.UTF-8"}
        for shell, ask in (("bash", bash), ("fish", fish)):
            if not shutil.which(shell):
                print(f"skipped: {shell} is not installed")
                continue
            for words, wanted, unwanted in CASES:
                offered = set(ask(words, root, env))
                if not wanted <= offered or unwanted & offered:
                    failed += 1
                    print(f"{shell}: {words}: offers {sorted(offered)}; wanted {sorted(wanted)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

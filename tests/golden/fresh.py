#!/usr/bin/env python3
"""Prints the man pages and completions anew and compares them with the committed ones. UPDATE_GOLDEN=1 writes them.
Also has each shell, and man, read what was printed, where they are installed. `fresh.py AICTL ROOT`."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SCRIPTS = {"bash": "aictl.bash", "zsh": "_aictl", "fish": "aictl.fish"}


def printed(aictl):
    """{path below the root: text} of everything that is printed from the command tree."""
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([aictl, "man", "--all", folder], check=True, env=env)
        for page in pathlib.Path(folder).iterdir():
            files[f"man/{page.name}"] = page.read_text(encoding="utf-8")
    for shell, name in SCRIPTS.items():
        files[f"completions/{name}"] = subprocess.run([aictl, "completion", shell], check=True, env=env, capture_output=True,
                                                      text=True).stdout
    return files


def committed(root):
    """The same of what is in the tree; pages of other sections are written by hand."""
    return {f"{file.parent.name}/{file.name}": file.read_text(encoding="utf-8")
            for folder in ("man", "completions") for file in sorted((root / folder).glob("*"))
            if folder == "completions" or file.suffix == ".1"}


def update(root, new, old):
    for path in old.keys() - new.keys():
        (root / path).unlink()
    for path, text in new.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def readers(root):
    """The commands that read the files: each shell's syntax check, and man with every warning."""
    for shell, name in SCRIPTS.items():
        yield shell, [shell, "-n", root / "completions" / name]
    for page in sorted((root / "man").glob("*")):
        yield "man", ["man", "--warnings=all", "-l", page]


def main():
    root = pathlib.Path(sys.argv[2])
    new, old = printed(os.path.abspath(sys.argv[1])), committed(root)
    if os.environ.get("UPDATE_GOLDEN"):
        update(root, new, old)
        old = committed(root)
    problems = [f"{path}: not what the command tree prints" for path in sorted(new.keys() | old.keys())
                if new.get(path) != old.get(path)]
    if problems:
        problems.append("to write them anew: UPDATE_GOLDEN=1 ctest -R fresh")
    for program in {program for program, _ in readers(root) if not shutil.which(program)}:
        print(f"skipped: {program} is not installed")
    for program, command in readers(root):
        if not shutil.which(program):
            continue
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        if done.returncode or done.stderr:
            problems.append(f"{command[-1]}: {program} says: {done.stderr}")
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

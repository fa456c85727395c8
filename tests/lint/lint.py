#!/usr/bin/env python3
"""Reads every #include of cmd/, core/ and plugins/ and refuses the arrows that ARCHITECTURE.md does not allow; also
files that are too long and folders whose name says nothing. `lint.py ROOT` checks a tree, `lint.py --self-test` itself."""
import pathlib
import re
import sys
import tempfile

# The rooms of core/ in their order: each may include those before it.
ROOMS = ("base value template manifest config cli telemetry http openai topology load placement doctor tensor plugin platform").split()

# A third-party header (by prefix) and the places that may include it. What is not here, not the standard library's and
# not the operating system's is unknown, and refused.
THIRD_PARTY = {
    "fmt/": ("cmd/", "core/", "plugins/"),  # std::format, until the compiler has it
    "nlohmann/": ("core/value/",),
    "yaml-cpp/": ("core/value/",),
    "CLI/": ("core/cli/",),
    "spdlog/": ("core/telemetry/",),
    "prometheus/": ("core/telemetry/",),
    "httplib.h": ("core/http/",),
    "event2/": ("core/http/",),
    "openssl/evp.h": ("core/platform/spec/",),
    "openssl/": ("core/http/",),
    "zlib.h": ("core/http/",),
    "zstd.h": ("core/http/", "core/manifest/catalog/"),  # the catalog is one zstd frame in the binary
    "pcre2.h": ("plugins/services/inference/text/", "core/manifest/check/"),  # patterns of tokenizers; of schemas
    "xxhash.h": ("plugins/services/inference/",),
    "hwloc.h": ("plugins/backends/cpu/", "plugins/topology/hwloc/"),
    "sqlite3.h": ("plugins/stores/sqlite/", "plugins/brokers/sqlite/"),
    "cuda": ("plugins/backends/cuda/",),
    "nvml.h": ("plugins/topology/nvml/",),
}

# Headers of the C library, the kernel and the compiler.
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux)/[a-z0-9_]+\.h|(unistd|fcntl|dirent|pthread|signal|sched|poll|netdb|dlfcn|termios|"
                    r"locale|wctype|langinfo|execinfo|spawn|immintrin|x86intrin|cpuid|arm_neon)\.h")
STANDARD = re.compile(r"[a-z_0-9]+")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = (".hpp", ".cpp", ".cu", ".cuh", ".h")
GENERATED = {"cmd/build_info.hpp"}
EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
MAX_LINES, MAX_KERNEL_LINES = 400, 600


def plugin_of(path):
    """plugins/services/inference of plugins/services/inference/kv/pool.hpp; None for plugins/builtin.hpp."""
    parts = path.split("/")
    return "/".join(parts[:3]) if len(parts) > 3 else None


def arrow_problem(path, target):
    """Why the file `path` may not include the project's file `target`; None when it may."""
    floor, onto = path.split("/")[0], target.split("/")[0]
    if onto not in ("cmd", "core", "plugins"):
        return "a path that does not start at the repository's root"
    if floor == "core":
        if onto != "core":
            return f"core/ never sees {onto}/"
        own, other = path.split("/")[1], target.split("/")[1]
        for room in (own, other):
            if room not in ROOMS:
                return f"'{room}' is not a room of core/"
        if ROOMS.index(other) > ROOMS.index(own):
            return f"the room '{other}' stands after '{own}'"
    elif floor == "cmd":
        if onto == "plugins" and (path, target) != ("cmd/main.cpp", "plugins/builtin.hpp"):
            return "cmd/ never sees plugins/, except main.cpp its builtin.hpp"
    elif floor == "plugins":
        if onto == "cmd":
            return "plugins/ never sees cmd/"
        if onto == "plugins" and path != "plugins/builtin.cpp" and plugin_of(path) != plugin_of(target):
            return "a plugin never includes another plugin"
    return None


def header_problem(path, header):
    """Why `path` may not include <header>; None when it may."""
    for prefix, places in THIRD_PARTY.items():
        if header.startswith(prefix):
            return None if path.startswith(places) else f"<{header}> belongs to {', '.join(places)}"
    if STANDARD.fullmatch(header) or SYSTEM.fullmatch(header):
        return None
    return f"<{header}> is unknown; give it a room in tests/lint/lint.py"


def lint_file(root, path, text):
    """The problems of one file, as lines."""
    lines = text.splitlines()
    limit = MAX_KERNEL_LINES if "kernel" in path else MAX_LINES
    if len(lines) > limit:
        yield f"{path}: {len(lines)} lines, {limit} at most"
    if path.endswith(".hpp") and "#pragma once" not in lines:
        yield f"{path}: no #pragma once"
    if path.startswith("tests/"):
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        kind, target = found.groups()
        if kind == "<":
            problem = header_problem(path, target)
        else:
            problem = arrow_problem(path, target)
            if not problem and target not in GENERATED and not (root / target).is_file():
                problem = "no such file"
        if problem:
            yield f"{path}:{number}: {line.strip()}: {problem}"


def lint(root):
    root = pathlib.Path(root)
    problems = []
    for floor in ("cmd", "core", "plugins", "tests"):
        for file in sorted((root / floor).rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.is_dir() and file.name in EMPTY_NAMES:
                problems.append(f"{path}/: name it after what is in it")
            if file.is_file() and file.suffix in SOURCES:
                problems += lint_file(root, path, file.read_text(encoding="utf-8"))
    return problems


# Files of a made-up tree, and what has to be found in them (None: nothing).
PLANTED = [
    ("core/base/a.hpp", '#include <vector>\n#include <sys/mman.h>\n#include <fmt/format.h>', None),
    ("core/http/a.hpp", '#include "core/base/a.hpp"\n#include <event2/event.h>', None),
    ("core/base/b.hpp", '#include "core/http/a.hpp"', "stands after"),
    ("core/base/c.hpp", '#  include "plugins/builtin.hpp"', "never sees plugins/"),
    ("core/base/d.hpp", '#include "cmd/app.hpp"', "never sees cmd/"),
    ("core/base/e.hpp", "#include <yaml-cpp/yaml.h>", "belongs to core/value/"),
    ("core/base/f.hpp", "#include <boost/asio.hpp>", "unknown"),
    ("core/base/g.hpp", '#include "a.hpp"', "repository's root"),
    ("core/base/h.hpp", '#include "core/base/absent.hpp"', "no such file"),
    ("core/cellar/a.hpp", '#include "core/base/a.hpp"', "not a room"),
    ("core/base/utils/a.hpp", "", "name it after"),
    ("core/base/long.cpp", "\n" * 401, "401 lines"),
    ("core/base/unguarded.hpp", None, "#pragma once"),
    ("cmd/app.hpp", '#include "core/http/a.hpp"', None),
    ("cmd/main.cpp", '#include "plugins/builtin.hpp"', None),
    ("cmd/serve.cpp", '#include "plugins/builtin.hpp"', "never sees plugins/"),
    ("plugins/builtin.hpp", '#include "core/base/a.hpp"', None),
    ("plugins/builtin.cpp", '#include "plugins/stores/one/a.hpp"', None),
    ("plugins/stores/one/a.hpp", '#include "plugins/stores/one/deep/a.hpp"', None),
    ("plugins/stores/one/deep/a.hpp", "", None),
    ("plugins/stores/two/a.hpp", '#include "plugins/stores/one/a.hpp"', "another plugin"),
    ("plugins/stores/two/b.hpp", '#include "cmd/app.hpp"', "never sees cmd/"),
    ("plugins/backends/cpu/kernels/avx2.cpp", "\n" * 599, None),
]


def self_test():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text, _ in PLANTED:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            guard = "#pragma once\n" if path.endswith(".hpp") and text is not None else ""
            (root / path).write_text(guard + (text or ""), encoding="utf-8")
        problems = lint(root)
        for path, _, wanted in PLANTED:
            own = [p for p in problems if p.startswith((path + ":", str(pathlib.PurePosixPath(path).parent) + "/:"))
                   and (wanted is None or p.startswith(path) or wanted in p)]
            if wanted is None and [p for p in own if p.startswith(path + ":")]:
                failures.append(f"{path}: refused without reason: {own}")
            if wanted is not None and not any(wanted in p for p in own):
                failures.append(f"{path}: not found: {wanted}: {own}")
        bad = sum(1 for _, _, wanted in PLANTED if wanted)
        if len(problems) != bad:
            failures.append(f"{len(problems)} problems for {bad} plants: {problems}")
    return failures


def main():
    problems = self_test() if sys.argv[1:] == ["--self-test"] else lint(sys.argv[1])
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

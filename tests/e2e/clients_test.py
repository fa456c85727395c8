"""The npm clients `openai`, `ai` and `@ai-sdk/openai-compatible` against a live server. Skipped, with the reason, where
node or npm is missing or the packages cannot be installed."""
import os
import shutil
import subprocess
import sys
import tempfile

from support import Server

SKIPPED = 77
HERE = os.path.dirname(os.path.abspath(__file__))


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install(folder):
    for name in ("package.json", "package-lock.json", "clients.test.mjs"):
        shutil.copy(os.path.join(HERE, "clients", name), folder)
    try:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                              text=True, timeout=180)
    except subprocess.TimeoutExpired:
        skip("npm ci took over 180 s")
    if done.returncode != 0:
        skip("npm ci failed: " + done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "npm ci failed")


def main():
    for program in ("node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        install(folder)
        with Server() as server:
            model = server.get("/v1/models")[2]["data"][0]["id"]
            tests = subprocess.run(["node", "--test", "clients.test.mjs"], cwd=folder, timeout=300,
                                   env={**os.environ, "AICTL_URL": server.url, "AICTL_MODEL": model, "NO_PROXY": "127.0.0.1"})
        sys.exit(tests.returncode)


if __name__ == "__main__":
    main()

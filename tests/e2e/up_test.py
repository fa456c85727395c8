"""`aictl up` end to end: two models and an agent as real processes; killed, stopped, refused, in the background."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from support import AICTL, DEADLINE, ENVIRONMENT, run, wait_until

WORKER = """import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ.get("OPENAI_BASE_URL", "").encode())
    def log_message(self, *_): pass
print("worker listens", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def get(url, body=None):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"content-type": "application/json"} if body else {})
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return answer.read().decode()


def answers(url):
    try:
        return bool(get(url))
    except OSError:
        return False


class Platform(unittest.TestCase):
    """Each test has a spec, a state folder and no process of its own left at its end."""

    @classmethod
    def setUpClass(cls):
        made = run("model", "builtin", "-o", "json")
        assert made.returncode == 0, made.stderr
        cls.model = json.loads(made.stdout)["path"]

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))).resolve()
        for name in ("one", "two"):
            shutil.copy(self.model, self.folder / f"{name}.gguf")
        (self.folder / "worker.py").write_text(WORKER)
        self.port = free_port()
        self.spec = self.folder / "aictl.yaml"
        self.spec.write_text(f"""name: e2e
models:
  - {{name: one, source: ./one.gguf, context: 512}}
  - {{name: two, source: ./two.gguf, context: 512}}
agents:
  - name: worker
    command: [python3, worker.py]
    port: {self.port}
    models: [one]
    needs: [one]
""")
        self.env = {"XDG_STATE_HOME": str(self.folder / "state")}
        self.state = self.folder / "state" / "aictl" / "e2e"

    def tearDown(self):
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)

    def left(self):
        """Processes that carry the mark of this platform."""
        pids = []
        for entry in os.scandir("/proc"):
            try:
                if entry.name.isdigit() and f"@{self.state}\0".encode() in pathlib.Path(entry, "environ").read_bytes() + b"\0":
                    pids.append(int(entry.name))
            except OSError:
                pass
        return pids

    def aictl(self, *args, **more):
        return run(*args, "-f", str(self.spec), env=self.env, **more)

    def up(self, *args):
        process = subprocess.Popen([AICTL, "up", "-f", str(self.spec), "--free-ports", "-o", "json", *args],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **self.env})
        self.addCleanup(lambda: (process.terminate(), process.communicate(timeout=DEADLINE)))
        return process

    def event(self, process, what):
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == what:
                return event
        self.fail(f"no '{what}': {process.stderr.read()}")

    def rows(self):
        platforms = json.loads(self.aictl("ps", "-o", "json").stdout)["platforms"]
        return {row["name"]: row for row in platforms[0]["workloads"]} if platforms else {}

    def test_models_answer_a_killed_one_comes_again_and_all_stops(self):
        process = self.up()
        urls = self.event(process, "ready")["urls"]
        self.assertEqual(sorted(urls), ["one", "two", "worker"])
        self.assertIn(urls["one"], get(urls["worker"]))
        ask = {"model": "one", "prompt": "Hello", "max_tokens": 4}
        self.assertTrue(json.loads(get(urls["one"] + "/v1/completions", ask))["choices"])
        before = self.rows()["one"]["pid"]
        os.kill(before, signal.SIGKILL)
        self.assertEqual(self.event(process, "exited")["name"], "one")
        self.assertEqual(self.event(process, "healthy")["name"], "one")
        row = self.rows()["one"]  # the journal knew it before the event was told
        self.assertEqual((row["status"], row["restarts"], row["pid"] != before), ("ready", 1, True))
        self.assertTrue(json.loads(get(urls["one"] + "/v1/completions", ask))["choices"])
        process.send_signal(signal.SIGTERM)
        ended = [json.loads(line) for line in process.stdout]
        self.assertEqual(process.wait(DEADLINE), 0)
        order = [event["name"] for event in ended if event["event"] == "exited"]
        self.assertLess(order.index("worker"), order.index("one"))  # in reverse of what it needs
        self.assertEqual(self.left(), [])

    def test_kill_9_leaves_nothing_and_the_next_one_starts(self):
        for _ in range(2):
            process = self.up()
            self.event(process, "ready")
            self.assertEqual(len(self.left()), 3)
            process.kill()
            process.wait()
            wait_until(lambda: not self.left(), "all processes to be gone")
        self.assertEqual(self.aictl("down").returncode, 0)
        self.assertEqual(self.rows(), {})

    def test_kill_9_at_any_moment(self):
        for lines in range(1, 7):
            process = self.up()
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
            process.wait()
            wait_until(lambda: not self.left(), f"all to be gone after {lines} events")

    def test_a_second_up_is_refused_and_names_the_first(self):
        process = self.up()
        self.event(process, "ready")
        second = self.aictl("up", "--free-ports")
        self.assertEqual(second.returncode, 1, second.stderr)
        self.assertIn(f"(pid {process.pid}", second.stderr)
        self.assertIn("aictl down", second.stderr)

    def test_in_the_background_ps_logs_down(self):
        started = self.aictl("up", "--detach", "--free-ports")
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertRegex(started.stdout, r"ready\n  one +http://127\.0\.0\.1:\d+\n")
        table = self.aictl("ps").stdout
        self.assertRegex(table, r"e2e +worker +ready")
        self.assertTrue(answers(self.rows()["worker"]["url"]))
        self.assertIn("worker listens", self.aictl_logs("worker").stdout)
        follow = subprocess.Popen([AICTL, "logs", "-f", "worker", "--file", str(self.spec)], stdout=subprocess.PIPE, text=True,
                                  env={**ENVIRONMENT, **self.env})
        self.addCleanup(lambda: (follow.kill(), follow.wait(), follow.stdout.close()))
        self.assertIn("started as pid", follow.stdout.readline())
        down = self.aictl("down")
        self.assertEqual(down.returncode, 0, down.stderr)
        self.assertEqual(follow.wait(DEADLINE), 0)  # it ends with the platform
        self.assertEqual(self.left(), [])
        self.assertIn("worker listens", self.aictl_logs("worker").stdout)
        wrong = self.aictl_logs("wroker")
        self.assertEqual(wrong.returncode, 69)
        self.assertIn("did you mean 'worker'?", wrong.stderr)

    def aictl_logs(self, name):
        return run("logs", name, "--file", str(self.spec), env=self.env)

    def test_a_taken_port_names_its_owner(self):
        with socket.create_server(("127.0.0.1", self.port)):
            refused = self.aictl("up")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn(f"port {self.port} of 'worker' is taken by ", refused.stderr)
        self.assertIn(f"(pid {os.getpid()}", refused.stderr)
        self.assertEqual(self.left(), [])

    def test_what_does_not_come_up_is_told_and_the_rest_stopped(self):
        (self.folder / "worker.py").write_text("import sys; print('no luck'); sys.exit(4)")
        process = self.up("--attempts", "2")
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 69)
        self.assertIn("error: 'worker' does not come up: exit status 4 (2 starts)", err)
        self.assertIn("no luck", err)
        self.assertEqual(self.left(), [])

    def test_a_dry_run_tells_words_variables_and_ports_and_makes_nothing(self):
        shown = self.aictl("up", "--dry-run", "-o", "json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        rows = {row["name"]: row for row in json.loads(shown.stdout)["workloads"]}
        self.assertEqual(rows["worker"]["argv"], ["python3", "worker.py"])
        self.assertEqual(rows["worker"]["env"]["PORT"], str(self.port))
        self.assertEqual(rows["worker"]["env"]["OPENAI_BASE_URL"], rows["one"]["url"] + "/v1")
        self.assertEqual(rows["worker"]["needs"], ["one"])
        one = rows["one"]
        self.assertEqual(one["argv"][:2], ["aictl", "serve"])
        self.assertIn(str(self.folder / "one.gguf"), one["argv"])
        self.assertIn(f"127.0.0.1:{one['ports']['http']}", one["argv"])
        self.assertFalse(self.state.exists())

    def test_the_words_here_are_those_in_the_pod_addresses_and_paths_apart(self):
        rows = {row["name"]: row for row in json.loads(self.aictl("up", "--dry-run", "-o", "json").stdout)["workloads"]}
        made = self.aictl("generate", "kubernetes", "-o", str(self.folder / "out"))
        self.assertEqual(made.returncode, 0, made.stderr)
        text = "".join(file.read_text() for file in sorted((self.folder / "out").rglob("*.yaml")))
        blocks = re.findall(r"^ +(?:command|args):\n((?: +- .*\n)+)", text, re.M)
        pods = [[line.split("- ", 1)[1].split("  # ")[0].strip('"') for line in block.splitlines()] for block in blocks]
        for name in ("one", "two"):
            here = ["/models/" + os.path.basename(word) if word.endswith(".gguf") else
                    "0.0.0.0:8000" if word.startswith("127.0.0.1:") else word for word in rows[name]["argv"]]
            self.assertTrue(any(pod in (here, here[1:]) for pod in pods), (here, pods))

    def test_output_of_processes_has_their_name_before_it(self):
        process = self.up()
        self.event(process, "ready")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(re.search(r"^worker \| worker listens$", err, re.M), err)


if __name__ == "__main__":
    unittest.main(verbosity=2)

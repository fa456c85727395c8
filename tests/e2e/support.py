"""Starts real aictl processes on free ports, talks to them, and stops them. Standard library only."""
import contextlib
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import time
from urllib.parse import urlsplit

AICTL = os.environ.get("AICTL", "aictl")
DEADLINE = float(os.environ.get("AICTL_TEST_DEADLINE", "60"))
# What a child gets: not the tests' own variables, which it would warn of.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("AICTL_SHARED", "AICTL_TEST_DEADLINE")}
# No test begins with what another has left on disk, unless it says so.
ENVIRONMENT.setdefault("AICTL_SERVE_KV_CACHE_DIR", "off")


def run(*args, stdin="", timeout=DEADLINE, env=None):
    """Runs aictl with `args` to its end; returns the finished process with text output."""
    return subprocess.run([AICTL, *args], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env={**ENVIRONMENT, **(env or {})})


def wait_until(condition, what, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"waited {deadline} s in vain: {what}")


class Server:
    """`aictl serve` as a child; leaves the `with` block stopped."""

    def __init__(self, *args, env=None):
        self.process = subprocess.Popen([AICTL, "serve", "--address", "127.0.0.1:0", "-o", "json", *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**ENVIRONMENT, **(env or {})})
        self.url = self._ready()
        parts = urlsplit(self.url)
        self.host, self.port = parts.hostname, parts.port

    def _ready(self):
        selector = selectors.DefaultSelector()
        selector.register(self.process.stdout, selectors.EVENT_READ)
        if not selector.select(DEADLINE):
            self.process.kill()
            raise AssertionError("no ready line in time")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"serve ended: {self.process.stderr.read()}")
        event = json.loads(line)
        assert event["event"] == "ready", event
        return event["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL if self.process.poll() is None else 0)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self, sig=signal.SIGTERM, deadline=DEADLINE):
        self.process.send_signal(sig)
        return self.process.wait(deadline)

    def connection(self, timeout=DEADLINE):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def raw(self, timeout=DEADLINE):
        return socket.create_connection((self.host, self.port), timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        """Returns status, headers and the body, parsed when it is JSON."""
        with contextlib.closing(self.connection()) as c:
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            c.request(method, path, data, {"content-type": "application/json", **(headers or {})})
            r = c.getresponse()
            text = r.read()
            is_json = (r.getheader("content-type") or "").startswith("application/json")
            return r.status, dict((k.lower(), v) for k, v in r.getheaders()), json.loads(text) if is_json else text.decode()

    def post(self, path, body, headers=None):
        return self.request("POST", path, body, headers)

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def stream(self, path, body):
        """Yields the data payloads of a server-sent stream, '[DONE]' included."""
        with contextlib.closing(self.connection()) as c:
            c.request("POST", path, json.dumps({**body, "stream": True}).encode(), {"content-type": "application/json"})
            r = c.getresponse()
            assert r.status == 200, r.read()
            for line in r:
                if line.startswith(b"data: "):
                    payload = line[6:].rstrip().decode()
                    yield payload if payload == "[DONE]" else json.loads(payload)

    def metric(self, name):
        """Sum of a metric's samples over all labels; None when it is absent."""
        values = [float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics")[2].splitlines()
                  if line.startswith(name) and line[len(name)] in " {"]
        return sum(values) if values else None

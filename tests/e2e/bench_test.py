"""`aictl bench serve|report|compare` end to end: a real server, and one that does what real ones do wrong."""
import contextlib
import http.server
import json
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

from support import AICTL, DEADLINE, ENVIRONMENT, Server, run

QUICK = ("--in", "16", "--out", "4", "--warmup", "0", "--allow-client-limit", "-o", "json")


def bench(*args, **kw):
    return run("bench", "serve", *args, **kw)


class Faulty(http.server.BaseHTTPRequestHandler):
    """Lists a model, counts usage, and fails in the way the server's `fault` says."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(200, {"object": "list", "data": [{"id": "m"}]} if self.path == "/v1/models" else {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokenize":
            return self.answer(404, {})
        if not body.get("stream"):
            words = len(body["messages"][0]["content"].split())
            return self.answer(200, {"choices": [], "usage": {"prompt_tokens": words + 5}})
        with self.server.lock:
            self.server.asked += 1
            number = self.server.asked
        if number % self.server.every:
            return self.stream(["x"] * body["max_tokens"], body["max_tokens"])
        if self.server.fault == "busy":
            return self.answer(503, {"error": {"message": "queue full"}})
        if self.server.fault == "cut":
            return self.stream(["x"], None)
        self.server.hung.set()
        self.server.release.wait(DEADLINE)

    def stream(self, pieces, usage):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        events = [{"choices": [{"index": 0, "delta": {"content": p}}]} for p in pieces]
        if usage is not None:
            events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
            events.append({"choices": [], "usage": {"prompt_tokens": 21, "completion_tokens": usage}})
        for event in events:
            data = b"data: " + json.dumps(event).encode() + b"\n\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if usage is not None:
            self.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        self.close_connection = True


@contextlib.contextmanager
def faulty(fault, every=1):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    server.daemon_threads = True
    server.fault, server.every, server.asked, server.lock = fault, every, 0, threading.Lock()
    server.hung, server.release = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()


class OfOurServer(unittest.TestCase):
    """One server on the built-in tiny model for all of these."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.folder.cleanup()

    def bench(self, *args):
        return bench("--url", self.server.url, *QUICK, *args)

    def test_closed_loop_gives_the_lengths_that_were_asked_for(self):
        done = self.bench("--concurrency", "3", "--count", "12", "--in", "uniform:20-60", "--out", "uniform:2-9")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["schema"], "aictl.bench.serve/1")
        self.assertEqual(result["load"]["completed"], 12)
        self.assertEqual(result["load"]["mode"], "closed")
        self.assertEqual(result["load"]["tokens_by"], "usage")
        lengths = result["lengths"]
        self.assertEqual(lengths["in"]["asked_mean"], lengths["in"]["got_mean"])
        self.assertEqual(lengths["out"]["asked_mean"], lengths["out"]["got_mean"])
        self.assertLessEqual(result["throughput"]["concurrency"]["peak"], 3)
        self.assertRegex(result["fingerprint"]["machine"]["topology_hash"], "^[0-9a-f]{16}$")
        self.assertEqual(result["fingerprint"]["seed"], 1)
        self.assertIn("bench serve", result["fingerprint"]["client"]["command"])

    def test_open_loop_sends_all_that_was_planned_and_writes_its_files(self):
        files = {name: self.path / name for name in ("r.jsonl", "r.csv", "r.html")}
        done = self.bench("--rate", "200", "--count", "20", "--completions", "--slo", "ttft:60s",
                          "--requests", str(files["r.jsonl"]), "--csv", str(files["r.csv"]), "--html", str(files["r.html"]))
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["load"]["planned"], result["load"]["sent"]), (20, 20))
        self.assertEqual(result["goodput"]["percent"], 100)
        self.assertEqual(result["metrics"]["late"]["n"], 20)
        requests = [json.loads(line) for line in files["r.jsonl"].read_text().splitlines()]
        self.assertEqual(sorted(r["index"] for r in requests), list(range(20)))
        self.assertTrue(all(r["t_send"] >= r["t_plan"] and r["n_out"] == 4 for r in requests))
        self.assertIn("\nttft,ms,", "\n" + files["r.csv"].read_text())
        page = files["r.html"].read_text()
        self.assertIn("<svg", page)
        self.assertNotIn("src=", page)
        kept = self.path / "kept.json"
        kept.write_text(done.stdout)
        again = self.path / "again.html"
        report = run("bench", "report", str(kept), "--html", str(again))
        self.assertEqual(report.returncode, 0, report.stderr)
        self.assertEqual(again.read_text(), page)

    def test_limits_decide_the_exit_status_either_way(self):
        self.assertEqual(self.bench("--count", "12", "--fail-if", "p50_e2e>1000s").returncode, 0)
        failed = self.bench("--count", "12", "--fail-if", "p50_e2e>0.001ms", "--fail-if", "error_rate>0%")
        self.assertEqual(failed.returncode, 1, failed.stderr)
        result = json.loads(failed.stdout)
        self.assertEqual([t["verdict"] for t in result["thresholds"]], ["fail", "pass"])
        self.assertEqual(result["verdict"], "failed")
        few = self.bench("--count", "12", "--fail-if", "p99_ttft>1000s")
        self.assertEqual(few.returncode, 5, few.stderr)

    def test_a_trace_a_dataset_and_steps(self):
        trace = self.path / "t.jsonl"
        trace.write_text("".join(json.dumps({"timestamp": 10 * i, "input_length": 40, "output_length": 3, "hash_ids": [1]}) + "\n"
                                 for i in range(5)))
        done = self.bench("--trace", str(trace), "--speed", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["lengths"]["in"]["got_mean"], 40)
        data = self.path / "d.jsonl"
        data.write_text('{"prompt": "Why?", "output_len": 3}\n{"messages": [{"role": "user", "content": "So?"}]}\n')
        done = self.bench("--dataset", str(data), "--count", "4")
        self.assertEqual(json.loads(done.stdout)["load"]["completed"], 4, done.stderr)
        done = self.bench("--steps", "40,80", "--step-time", "1s", "--arrival", "constant")
        result = json.loads(done.stdout)
        self.assertEqual([(s["name"], s["requests"]) for s in result["steps"]], [("40 req/s", 40), ("80 req/s", 80)])

    def test_two_results_are_compared_and_unlike_ones_refused(self):
        paths = []
        for i, extra in enumerate(((), (), ("--in", "40"))):
            done = self.bench("--concurrency", "2", "--count", "30", *extra)
            paths.append(self.path / f"c{i}.json")
            paths[-1].write_text(done.stdout)
        done = run("bench", "compare", str(paths[0]), str(paths[1]), "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertIn("p50_ttft", [r["metric"] for r in rows])
        self.assertTrue(all(r["verdict"] in ("~", "better", "worse") for r in rows))
        refused = run("bench", "compare", str(paths[0]), str(paths[2]))
        self.assertEqual(refused.returncode, 3)
        self.assertIn('in: "16" and "40"', refused.stderr)
        self.assertEqual(run("bench", "compare", str(paths[0]), str(paths[2]), "--force").returncode, 0)
        same = run("bench", "compare", str(paths[0]), str(paths[0]), "-o", "json")
        self.assertEqual({r["verdict"] for r in json.loads(same.stdout)["rows"]}, {"~"})


class Alone(unittest.TestCase):
    def test_a_server_of_ours_is_started_and_stopped(self):
        done = run("bench", "load", *QUICK, "--count", "3", "--", "--concurrency", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["load"]["completed"], 3)
        self.assertGreater(result["run"]["seconds_to_ready"], 0)
        port = result["fingerprint"]["server"]["url"].rsplit(":", 1)[1]
        done = bench("--url", f"http://127.0.0.1:{port}", *QUICK)
        self.assertEqual(done.returncode, 6, "the server is still there")
        broken = bench("/dev/null", *QUICK)
        self.assertNotEqual(broken.returncode, 0)
        self.assertEqual(broken.stdout, "")

    def test_bench_ceilings_has_a_fingerprint(self):
        done = run("bench", "ceilings", "--threads", "1", "-o", "json")
        self.assertIn("topology_hash", json.loads(done.stdout)["fingerprint"]["machine"], done.stderr)


class OfFaultyServers(unittest.TestCase):
    def test_nobody_answers(self):
        with faulty("busy") as (_, url):
            pass
        done = bench("--url", url, *QUICK)
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn(url, done.stderr)

    def test_a_server_that_refuses_is_told_by_class_and_exit_6(self):
        with faulty("busy") as (_, url):
            done = bench("--url", url, *QUICK, "--count", "4", "--concurrency", "4")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(json.loads(done.stdout)["errors"], [{"class": "status", "n": 4, "example": "503: queue full"}])

    def test_a_cut_stream_is_an_error_beside_good_answers(self):
        with faulty("cut", every=4) as (_, url):
            done = bench("--url", url, *QUICK, "--count", "12", "--fail-if", "error_rate.truncated>20%")
        self.assertEqual(done.returncode, 1, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["load"]["completed"], 9)
        self.assertEqual([(e["class"], e["n"]) for e in result["errors"]], [("truncated", 3)])
        self.assertEqual(result["metrics"]["e2e"]["n"], 9)

    def test_an_interrupted_run_prints_what_it_has(self):
        with faulty("hang", every=3) as (server, url):
            child = subprocess.Popen([AICTL, "bench", "serve", "--url", url, *QUICK, "--count", "9"], env=ENVIRONMENT,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertTrue(server.hung.wait(DEADLINE))
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=DEADLINE)
        self.assertEqual(child.returncode, 130, err)
        result = json.loads(out)
        self.assertTrue(result["run"]["interrupted"])
        self.assertEqual((result["load"]["completed"], result["load"]["cancelled"]), (2, 1))

    def test_wrong_usage_is_told_before_anything_is_sent(self):
        for args, word in ((("--rate", "1", "--concurrency", "2"), "--max-concurrency"), (("--in", "many"), "uniform"),
                           (("--fail-if", "speed>1"), "speed"), (("--ramp", "linear:1..2"), "--duration"),
                           (("--think", "soon"), "exp:2s"), (("--slo", "x:1"), "ttft"), (("--arrival", "x"), "gamma"),
                           (("--warmup", "x"), "auto"), (("--prefix-share", "x"), "0.5x2048")):
            done = bench("--url", "http://127.0.0.1:1", *args)
            self.assertEqual(done.returncode, 2, (args, done.stderr))
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()

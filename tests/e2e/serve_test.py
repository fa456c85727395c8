"""`aictl serve` end to end: the plain paths, hostile and unlucky clients, and a tidy end."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import tempfile
import threading
import unittest

from support import DEADLINE, Server, run, wait_until

CHAT = {"messages": [{"role": "user", "content": "Tell me a story."}]}


class Serving(unittest.TestCase):
    """One server on the built-in tiny model for all of these."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.model = cls.server.get("/v1/models")[2]["data"][0]["id"]

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def chat(self, **fields):
        return self.server.post("/v1/chat/completions", {"model": self.model, **CHAT, **fields})

    def test_health_and_metrics_answer_without_a_key(self):
        for path in ("/livez", "/readyz", "/health", "/ping"):
            self.assertEqual(self.server.get(path)[0], 200, path)
        self.chat(max_tokens=2)
        metrics = self.server.get("/metrics")[2]
        for name in ("aictl_request_seconds", "aictl_kv_blocks_used", "vllm:num_requests_running",
                     "vllm:generation_tokens_total", "vllm:time_to_first_token_seconds_bucket"):
            self.assertIn(name, metrics)

    def test_the_same_seed_gives_the_same_answer_whole_or_streamed(self):
        whole = self.chat(max_tokens=24, seed=5)[2]
        pieces = list(self.server.stream("/v1/chat/completions", {"model": self.model, **CHAT, "max_tokens": 24, "seed": 5}))
        self.assertEqual(pieces[-1], "[DONE]")
        self.assertEqual(pieces[0]["choices"][0]["delta"].get("role"), "assistant")
        text = "".join(c["choices"][0]["delta"].get("content") or "" for c in pieces[:-1] if c["choices"])
        self.assertEqual(text, whole["choices"][0]["message"]["content"])

    def test_64_mixed_requests_at_once_equal_each_alone(self):
        bodies = [{"model": self.model, "prompt": f"Story {i}: " + "once upon a time " * (i % 7), "max_tokens": 5 + i % 23,
                   "temperature": 0 if i % 3 else 0.9, "seed": i, "top_p": 0.9, "ignore_eos": True, "return_token_ids": True}
                  for i in range(64)]
        ask = lambda body: self.server.post("/v1/completions", body)[2]["choices"][0]
        alone = [ask(b) for b in bodies]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            together = list(pool.map(ask, bodies))
        for a, b in zip(alone, together):
            self.assertEqual(a["text"], b["text"])
            self.assertEqual(a.get("token_ids"), b.get("token_ids"))

    def test_bad_requests_name_the_field(self):
        for fields, param in (({"temperature": 9}, "temperature"), ({"n": 0}, "n"), ({"max_tokens": 0}, "max_tokens"),
                              ({"top_p": "x"}, "top_p"), ({"response_format": {"type": "json_object"}}, "response_format"),
                              ({"stream_options": {"include_usage": True}}, "stream_options")):
            status, _, body = self.chat(**fields)
            self.assertEqual((status, body["error"]["param"]), (400, param), body)
        self.assertEqual(self.server.post("/v1/chat/completions", b"{")[0], 400)
        self.assertEqual(self.server.get("/v1/chat/completions")[0], 405)
        self.assertEqual(self.server.get("/nowhere")[2]["error"]["code"], "unknown_url")
        status, _, body = self.server.post("/v1/chat/completions", {"model": "absent", **CHAT})
        self.assertEqual((status, body["error"]["code"]), (404, "model_not_found"))

    def test_a_prompt_over_the_window_is_refused_with_both_numbers_never_cut(self):
        status, _, body = self.server.post("/v1/completions", {"model": self.model, "prompt": "word " * 2_000_000})
        self.assertEqual((status, body["error"]["code"]), (400, "context_length_exceeded"))
        self.assertGreaterEqual(sum(c.isdigit() for c in body["error"]["message"]), 4)

    def test_json_a_thousand_deep_and_bad_utf8_are_refused(self):
        deep = b'{"model":"m","messages":' + b"[" * 1000 + b"]" * 1000 + b"}"
        self.assertEqual(self.server.post("/v1/chat/completions", deep)[0], 400)
        self.assertEqual(self.server.post("/v1/chat/completions", b'{"model":"\xff"}')[0], 400)

    def test_special_tokens_in_user_text_stay_text(self):
        plain = self.server.post("/apply-template", {"messages": [{"role": "user", "content": "<|im_end|>"}]})[2]
        self.assertIn("<|im_end|>", plain["prompt"])
        with_special = self.chat(max_tokens=1)[2]["usage"]["prompt_tokens"]
        injected = self.server.post("/v1/chat/completions", {
            "model": self.model, "max_tokens": 1, "messages": [{"role": "user", "content": "Tell me a story.<|im_end|>"}]})[2]
        self.assertGreater(injected["usage"]["prompt_tokens"], with_special + 1, "the marker was read as one special token")

    def test_a_client_gone_in_mid_stream_frees_its_slot(self):
        def idle():
            return self.server.metric("vllm:num_requests_running") == 0
        wait_until(idle, "the server to be idle")
        with self.server.raw() as s:
            body = json.dumps({"model": self.model, **CHAT, "max_tokens": 400, "ignore_eos": True, "stream": True}).encode()
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                      b"content-length: %d\r\n\r\n%s" % (len(body), body))
            s.recv(100)
        wait_until(idle, "the abandoned request to be cancelled", 10)

    def test_a_client_that_shuts_its_sending_side_gets_its_answer(self):
        body = json.dumps({"model": self.model, **CHAT, "max_tokens": 200, "ignore_eos": True}).encode()
        with self.server.raw() as s:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                      b"content-length: %d\r\n\r\n%s" % (len(body), body))
            s.shutdown(socket.SHUT_WR)
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", data)
        self.assertEqual(statuses[-1], b"200")
        self.assertEqual(json.loads(data.rsplit(b"\r\n\r\n", 1)[1])["usage"]["completion_tokens"], 200)

    def test_a_slow_reader_and_a_slow_writer_hinder_nobody(self):
        with self.server.raw() as reader, self.server.raw() as writer:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            body = json.dumps({"model": self.model, **CHAT, "max_tokens": 300, "ignore_eos": True, "stream": True}).encode()
            reader.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                           b"content-length: %d\r\n\r\n%s" % (len(body), body))
            writer.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
            for _ in range(5):
                self.assertEqual(self.chat(max_tokens=4)[0], 200)

    def test_2000_idle_connections_leave_the_server_answering(self):
        idle = []
        try:
            for _ in range(2000):
                idle.append(self.server.raw())
            self.assertEqual(self.chat(max_tokens=2)[0], 200)
        finally:
            for s in idle:
                s.close()

    def test_pipelined_requests_are_answered_in_order(self):
        with self.server.raw() as s:
            s.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"
                      b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", data)
        self.assertEqual(statuses, [b"200", b"404", b"200"])

    def test_tokenize_and_detokenize_are_inverse(self):
        tokens = self.server.post("/tokenize", {"model": self.model, "prompt": "Hello, wörld 🙂", "add_special_tokens": False})[2]["tokens"]
        self.assertEqual(self.server.post("/detokenize", {"model": self.model, "tokens": tokens})[2]["prompt"], "Hello, wörld 🙂")


class Lifecycle(unittest.TestCase):
    def test_sigterm_lets_streams_finish(self):
        with Server() as server:
            model = server.get("/v1/models")[2]["data"][0]["id"]
            seen, done = threading.Event(), []

            def read():
                for payload in server.stream("/v1/chat/completions", {"model": model, **CHAT, "max_tokens": 400, "ignore_eos": True}):
                    seen.set()
                    done.append(payload)

            thread = threading.Thread(target=read)
            self.assertEqual(server.get("/readyz")[0], 200)
            thread.start()
            self.assertTrue(seen.wait(30))
            self.assertEqual(server.stop(), 0)
            thread.join(30)
            self.assertEqual(done[-1], "[DONE]")

    def test_a_request_that_arrives_with_sigterm_is_answered(self):
        with Server() as server, contextlib.closing(server.connection()) as fresh:
            fresh.connect()
            wait_until(lambda: server.get("/readyz")[0] == 200, "the server has seen the connection")
            server.process.send_signal(signal.SIGTERM)
            fresh.request("GET", "/v1/models")
            answer = fresh.getresponse()
            self.assertEqual(answer.status, 200)
            self.assertEqual(json.loads(answer.read())["object"], "list")
            self.assertEqual(server.process.wait(DEADLINE), 0)

    def test_sigterm_turns_ready_false_and_a_second_one_stops_at_once(self):
        with Server() as server:
            model = server.get("/v1/models")[2]["data"][0]["id"]
            s = server.raw()
            body = json.dumps({"model": model, **CHAT, "max_tokens": 8000, "n": 16, "logprobs": True, "top_logprobs": 20,
                               "stream": True, "ignore_eos": True}).encode()  # seconds of work: it must outlast the test
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                      b"content-length: %d\r\n\r\n%s" % (len(body), body))
            self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200"))
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: server.get("/readyz")[0] == 503, "ready to turn false")
            status, headers, refused = server.post("/v1/chat/completions", {"model": model, **CHAT})
            self.assertEqual((status, refused["error"]["code"]), (503, "draining"))
            self.assertIn("retry-after-ms", headers)
            server.process.send_signal(signal.SIGTERM)
            rest = b"".join(iter(lambda: s.recv(65536), b""))
            self.assertIn(b'"code":"draining"', rest[-1000:])  # the stream says why it ends
            self.assertNotIn(b"[DONE]", rest)
            server.process.wait(8)
            s.close()

    def test_keys_come_from_a_file_and_guard_all_but_health(self):
        with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
            keys.write("# team a\nsk-one\nsk-two\n")
            keys.flush()
            with Server("--api-key-file", keys.name) as server:
                self.assertEqual(server.get("/livez")[0], 200)
                status, _, body = server.get("/v1/models")
                self.assertEqual((status, body["error"]["code"]), (401, "invalid_api_key"))
                self.assertEqual(server.get("/v1/models", {"authorization": "Bearer sk-two"})[0], 200)
                self.assertEqual(server.get("/v1/models", {"x-api-key": "sk-one"})[0], 200)
                self.assertEqual(server.get("/v1/models", {"authorization": "Bearer sk-three"})[0], 401)

    def test_a_listener_beyond_loopback_needs_a_key_or_insecure(self):
        result = run("serve", "--address", "0.0.0.0:0")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("--insecure", result.stderr)

    def test_a_full_queue_answers_429_with_a_time_to_come_back(self):
        with Server("--max-queue", "2", "--concurrency", "1") as server:
            model = server.get("/v1/models")[2]["data"][0]["id"]
            ask = lambda i: server.post("/v1/completions", {"model": model, "prompt": "x", "max_tokens": 200, "ignore_eos": True})
            with concurrent.futures.ThreadPoolExecutor(24) as pool:
                answers = list(pool.map(ask, range(24)))
            refused = [a for a in answers if a[0] == 429]
            self.assertTrue(refused and any(a[0] == 200 for a in answers), [a[0] for a in answers])
            self.assertGreater(int(refused[0][1]["retry-after-ms"]), 0)
            self.assertEqual(refused[0][2]["error"]["code"], "queue_full")

    def test_more_choices_than_run_at_once_take_turns(self):
        with Server("--max-queue", "8", "--concurrency", "2") as server:
            model = server.get("/v1/models")[2]["data"][0]["id"]
            ask = lambda n: server.post("/v1/completions", {"model": model, "prompt": "x", "n": n, "max_tokens": 5, "ignore_eos": True})
            status, _, body = ask(10)
            self.assertEqual((status, [c["index"] for c in body["choices"]]), (200, list(range(10))))
            for n in (11, 129):
                status, _, body = ask(n)
                self.assertEqual((status, body["error"]["param"]), (400, "n"), body)

    def test_a_unix_socket_serves_too(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.sock")
            with Server("--address", f"unix:{path}"):
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(path)
                    s.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                    self.assertTrue(s.recv(100).startswith(b"HTTP/1.1 200"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

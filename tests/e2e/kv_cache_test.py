"""`aictl serve` on a KV cache on disk: killed, restarted, and none the wiser; and a cache that others have meddled with."""
import os
import pathlib
import random
import signal
import tempfile
import unittest

from support import Server, run, wait_until

BLOCK = 64
TURN = random.Random(5).choices(range(3, 250), k=1500)  # token ids of a long prompt
QUESTION = random.Random(6).choices(range(3, 250), k=20)


def body(prompt, **fields):
    return {"prompt": prompt, "max_tokens": 40, "seed": 11, "temperature": 0.8, "logprobs": 3, "ignore_eos": True,
            "return_token_ids": True, **fields}


def ask(server, prompt, headers=None, **fields):
    """The answer: its token ids, its log-probabilities, what of the prompt was reused, and the header that says why not."""
    status, head, answer = server.post("/v1/completions", {"model": server.model, **body(prompt, **fields)}, headers)
    assert status == 200, answer
    choice = answer["choices"][0]
    return (choice["token_ids"], choice["logprobs"]["token_logprobs"],
            answer["usage"]["prompt_tokens_details"]["cached_tokens"], head["x-aictl-cache"])


def serve(folder, *args, headers=None):
    server = Server("--kv-cache-dir", str(folder), *args)
    server.model = server.get("/v1/models", headers)[2]["data"][0]["id"]
    return server


class KvCache(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.folder = self.scratch / "kv"

    def files(self):
        return sorted(self.folder.glob("*.akv"))

    def fill(self, *args):
        """Has a server keep the first turn and kills it once all of it is written; returns what it answered."""
        with serve(self.folder, *args) as server:
            answer = ask(server, TURN)
            blocks = (len(TURN) + 39) // BLOCK
            runs = -(-blocks // 16)
            wait_until(lambda: server.metric("aictl_kv_disk_files") == runs, "the blocks to be written")
            server.stop(signal.SIGKILL)
        return answer

    def cold(self, prompt):
        with serve("off") as server:
            return ask(server, prompt)

    def test_a_second_turn_after_kill_9_and_restart_begins_from_disk_with_the_same_answer(self):
        first = self.fill()
        self.assertEqual((first[2], first[3]), (0, "hit=0;miss=1500;reason=unknown_prefix"))
        second = TURN + first[0] + QUESTION
        right = self.cold(second)
        with serve(self.folder) as server:
            ids, logprobs, cached, header = ask(server, second)
            self.assertEqual((ids, logprobs), right[:2])
            kept = (len(TURN) + 39) // BLOCK * BLOCK
            self.assertEqual((cached, header), (kept, f"hit={kept};disk={kept};miss={len(second) - kept}"))
            self.assertEqual(ask(server, TURN)[:2], first[:2])
            self.assertEqual(server.metric("aictl_kv_disk_hits_total"), 1)
            self.assertEqual(server.metric("aictl_kv_disk_promoted_tokens_total"), kept)
            self.assertEqual(server.metric("aictl_kv_disk_discarded_total"), 0)

    def test_what_was_answered_last_is_kept_when_the_server_is_stopped(self):
        with serve(self.folder) as server:
            ask(server, TURN)
            self.assertEqual(server.stop(), 0)
        with serve(self.folder) as server:
            self.assertEqual(ask(server, TURN)[2], (len(TURN) - 1) // BLOCK * BLOCK)

    def test_killed_at_any_moment_it_answers_the_same_again(self):
        right = self.cold(TURN)
        for _ in range(6):
            with serve(self.folder) as server:
                self.assertEqual(ask(server, TURN)[:2], right[:2])
                server.stop(signal.SIGKILL)  # while the blocks are being written, or not yet
        for file in self.folder.iterdir():
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)

    def test_meddled_files_are_ignored_with_a_reason_and_no_client_notices(self):
        first = self.fill()
        files = self.files()
        files[0].write_bytes(files[0].read_bytes()[:-1])
        files[1].chmod(0o644)
        (self.folder / ("0" * 16 + "-000000-" + "0" * 32 + ".akv")).write_bytes(b"not one of them")
        (self.folder / "writing-xyz").write_bytes(b"half")
        with serve(self.folder) as server:
            ids, logprobs, cached, header = ask(server, TURN)
            self.assertEqual((ids, logprobs), first[:2])
            self.assertEqual((cached, header), (0, "hit=0;miss=1500;reason=unknown_prefix"))
            metrics = server.get("/metrics")[2]
            server.stop(signal.SIGKILL)
            log = server.process.stderr.read()
        self.assertRegex(metrics, r'aictl_kv_disk_discarded_total\{[^}]*reason="damaged"\} 1')
        self.assertRegex(metrics, r'aictl_kv_disk_discarded_total\{[^}]*reason="unsafe"\} 1')
        self.assertIn("reason=damaged", log)
        self.assertIn("reason=unsafe", log)

    def test_keys_keep_apart_also_when_their_file_was_sorted_anew(self):
        keys = self.scratch / "keys"
        mine, theirs = {"authorization": "Bearer mine-123456"}, {"authorization": "Bearer theirs-123456"}
        keys.write_text("mine-123456\ntheirs-123456\n")
        with serve(self.folder, "--api-key-file", str(keys), headers=mine) as server:
            ask(server, TURN, mine)
            self.assertEqual(server.stop(), 0)
        keys.write_text("theirs-123456\nmine-123456\n")
        with serve(self.folder, "--api-key-file", str(keys), headers=mine) as server:
            self.assertEqual(ask(server, TURN, theirs)[2], 0)
            self.assertEqual(ask(server, TURN, mine)[2], (len(TURN) - 1) // BLOCK * BLOCK)

    def test_the_cache_stays_below_its_limit(self):
        with serve(self.folder, "--kv-cache-size", "1Mi") as server:
            for i in range(12):
                ask(server, [3 + i] + TURN[:600])
            self.assertEqual(server.stop(), 0)
        self.assertLessEqual(sum(f.stat().st_blocks * 512 for f in self.files()), 1 << 20)
        self.assertGreater(len(self.files()), 0)

    def test_two_servers_may_share_the_folder(self):
        with serve(self.folder) as one, serve(self.folder) as two:
            answers = [ask(s, TURN)[:2] for s in (one, two, one, two)]
            self.assertEqual(one.stop(), 0)
            self.assertEqual(two.stop(), 0)
        self.assertTrue(all(a == answers[0] for a in answers))
        with serve(self.folder) as server:
            again = ask(server, TURN)
            self.assertEqual(again[:2], answers[0])
            self.assertGreater(again[2], 0)

    def test_a_folder_that_is_open_to_others_is_an_error_before_anything_is_loaded(self):
        self.folder.mkdir()
        os.chmod(self.folder, 0o755)
        refused = run("serve", "--address", "127.0.0.1:0", "--kv-cache-dir", str(self.folder))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("mode 755", refused.stderr)
        self.assertIn("chmod 700", refused.stderr)

    def test_off_keeps_nothing(self):
        cache = {"XDG_CACHE_HOME": str(self.scratch)}
        with Server("--kv-cache-dir", "off", env=cache) as server:
            server.model = server.get("/v1/models")[2]["data"][0]["id"]
            self.assertEqual([ask(server, TURN)[2] > 0 for _ in range(2)], [False, True])
            self.assertEqual(server.stop(), 0)
        self.assertEqual(sorted(p.name for p in (self.scratch / "aictl").iterdir()), ["tiny-random-2.gguf"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

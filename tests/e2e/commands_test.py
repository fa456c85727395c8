"""The commands that use a model directly: run, chat, model, tokenize, render. On the built-in tiny model, and, where the
reference models are at hand, on a real one with known answers."""
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from support import AICTL, run

SHARED = os.environ.get("AICTL_SHARED", "")
STORIES = os.path.join(SHARED, "models", "stories260K.gguf")


class OnTheBuiltinModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = run("model", "builtin", "-o", "json")
        assert made.returncode == 0, made.stderr
        cls.model = json.loads(made.stdout)["path"]

    def test_run_is_repeatable_by_its_seed_and_takes_stdin(self):
        ask = lambda *extra, stdin="": run("run", self.model, "Hello", "-n", "12", *extra, stdin=stdin)
        first, second = ask("--seed", "4"), ask("--seed", "4")
        self.assertEqual((first.returncode, first.stdout), (0, second.stdout), first.stderr)
        alone = json.loads(ask("-o", "json", "--temperature", "0").stdout)
        piped = json.loads(ask("-o", "json", "--temperature", "0", stdin="more to read").stdout)
        self.assertGreater(piped["prompt_tokens"], alone["prompt_tokens"])
        self.assertEqual(len(alone["tokens"]), 12)

    def test_chat_keeps_the_history(self):
        chat = run("chat", self.model, "--temperature", "0", "-n", "8", stdin="one\ntwo\n/history\n")
        self.assertEqual(chat.returncode, 0, chat.stderr)
        self.assertEqual(chat.stderr.count("user: "), 2)
        self.assertEqual(chat.stderr.count("assistant: "), 2)

    def test_ctrl_c_stops_a_run_with_130(self):
        child = subprocess.Popen([AICTL, "run", self.model, "Hello", "--ignore-eos", "-n", "1000000"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.read(1)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 130, err)

    def test_tokenize_and_render(self):
        plain = json.loads(run("tokenize", self.model, "--no-special", "Hello there", "-o", "json").stdout)
        self.assertEqual(plain["count"], len(plain["tokens"]))
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("Hello there")
            file.flush()
            again = json.loads(run("tokenize", self.model, "--no-special", "--file", file.name, "-o", "json").stdout)
        self.assertEqual(plain, again)
        prompt = json.loads(run("render", self.model, "--user", "Hi", "-o", "json").stdout)
        self.assertIn("<|im_start|>user\nHi<|im_end|>", prompt["text"])
        self.assertGreater(len(prompt["tokens"]), 4)

    def test_model_show_names_what_matters(self):
        shown = json.loads(run("model", "show", self.model, "-o", "json").stdout)
        for key in ("architecture", "parameters", "context_length", "chat_templates", "kv_bytes_per_token"):
            self.assertIn(key, shown)
        self.assertEqual(run("model", "show", self.model).returncode, 0)

    def test_logits_are_log_probabilities(self):
        logprobs = json.loads(run("model", "logits", self.model, "--tokens", "1,2,3", "-o", "json").stdout)["logprobs"]
        self.assertAlmostEqual(sum(2.718281828459045 ** p for p in logprobs), 1, places=3)

    def test_mistakes_are_told_with_the_right_exit_code(self):
        for arguments, code, words in (
                (["run", "absent.gguf", "x"], 69, "absent.gguf"),
                (["run", self.model, "--tokens", "1,99999999"], 2, "99999999"),
                (["run", self.model, "--temperature", "-1", "x"], 2, "temperature"),
                (["model", "show", os.path.abspath(__file__)], 65, "GGUF"),
                (["tokenise", self.model], 2, "tokenize")):
            result = run(*arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(words, result.stderr)
            self.assertEqual(result.stdout, "")


@unittest.skipUnless(os.path.exists(STORIES), f"no reference model at '{STORIES}'")
class OnStories(unittest.TestCase):
    def test_greedy_texts_equal_the_golden_ones(self):
        with open(os.path.join(SHARED, "models", "stories260K.golden.json")) as file:
            golden = json.load(file)
        for case in golden["cases"]:
            ids = ",".join(map(str, case["prompt_ids"]))
            answer = run("run", STORIES, "--tokens", ids, "--max-tokens", "64", "--temperature", "0", "-o", "json")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            made = json.loads(answer.stdout)
            self.assertEqual(made["tokens"], case["greedy_ids"][:64], case["prompt"])


TINY = os.path.join(SHARED, "models", "tiny")
NAMES = re.compile(r"(llama.*|q-llama-.*|qwen2|q-qwen2-.*|qwen3)\.gguf")


@unittest.skipUnless(os.path.isdir(TINY), f"no reference models in '{TINY}'")
class OnTinyModels(unittest.TestCase):
    """Files with known log-probabilities and greedy continuations. Where a quantised file's continuation forks from the
    recorded one, which another engine's rounding of activations made, the two tokens must be a near tie here."""

    def check(self, name):
        path = os.path.join(TINY, name)
        with open(path[:-len("gguf")] + "logits.json") as file:
            known = json.load(file)
        logprobs = lambda ids: json.loads(
            run("model", "logits", path, "--tokens", ",".join(map(str, ids)), "-o", "json").stdout)["logprobs"]
        prompt, tolerance = known["prompt_ids"], known["suggested_tolerance_logprob"]
        worst = max(abs(a - b) for a, b in zip(logprobs(prompt), known["logprobs"]))
        self.assertLessEqual(worst, tolerance)
        answer = run("run", path, "--tokens", ",".join(map(str, prompt)), "--max-tokens", "16", "--temperature", "0",
                     "--ignore-eos", "-o", "json")
        made = json.loads(answer.stdout)["tokens"]
        forks = [i for i, (a, b) in enumerate(zip(made, known["greedy_ids"])) if a != b]
        if not forks:
            return self.assertEqual(len(made), len(known["greedy_ids"]))
        self.assertTrue(name.startswith("q-"), f"{made} != {known['greedy_ids']}")
        at = logprobs(prompt + made[:forks[0]])
        self.assertLessEqual(at[made[forks[0]]] - at[known["greedy_ids"][forks[0]]], tolerance / 2)
        print(f"{name}: forks at token {forks[0]} on a near tie", flush=True)

    def test_log_probabilities_and_greedy_ids(self):
        names = sorted(filter(NAMES.fullmatch, os.listdir(TINY)))
        self.assertGreaterEqual(len(names), 16)
        for name in names:
            with self.subTest(name):
                self.check(name)


if __name__ == "__main__":
    unittest.main(verbosity=2)

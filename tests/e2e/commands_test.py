"""The commands that use a model directly: run, chat, model, tokenize, render. On the built-in tiny model, and, where the
reference models are at hand, on a real one with known answers."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from support import AICTL, ENVIRONMENT, run

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


    def test_what_stands_after_two_dashes_is_an_argument(self):
        ask = lambda *words, stdin="": json.loads(run("run", self.model, "-n", "1", "-o", "json", *words, stdin=stdin).stdout)
        self.assertEqual(ask("--", "-5")["prompt_tokens"], ask(stdin="-5")["prompt_tokens"])
        self.assertEqual(ask("--", "--help")["prompt_tokens"], ask(stdin="--help")["prompt_tokens"])

    def test_chat_prints_a_line_of_json_for_each_answer(self):
        chat = run("chat", self.model, "--temperature", "0", "-n", "4", "-o", "json", stdin="one\ntwo\n")
        answers = [json.loads(line) for line in chat.stdout.splitlines()]
        self.assertEqual([len(answer["tokens"]) for answer in answers], [4, 4], chat.stderr)
        self.assertGreater(answers[1]["prompt_tokens"], answers[0]["prompt_tokens"])
        refused = run("chat", self.model, "-o", "yaml", stdin="one\n")
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("-o json", refused.stderr)

    def test_a_block_in_chat_ends_before_the_newline_of_its_last_line(self):
        chat = run("chat", self.model, "-n", "1", stdin='"""\none\n\ntwo\n"""\n/history\n')
        self.assertIn("user: one\n\ntwo\nassistant: ", chat.stderr)

    def test_wrong_messages_are_refused_data(self):
        cases = (('[{"role": "user", "content": 5}]', "content"), ('[{"content": "x"}]', "role"), ('{"messages": 1}', "messages"))
        for messages, words in cases:
            result = run("render", self.model, "--messages", "-", stdin=messages)
            self.assertEqual((result.returncode, result.stdout), (65, ""), result.stderr)
            self.assertIn(words, result.stderr)
        with tempfile.NamedTemporaryFile("w", suffix=".jinja") as template:
            template.write("{{ raise_exception('only ' ~ word) }}")
            template.flush()
            raised = run("render", "--template", template.name, "--vars", "-", stdin='{"word": "nouns"}')
        self.assertEqual(raised.returncode, 65, raised.stderr)
        self.assertIn("only nouns", raised.stderr)

    def test_hints_name_flags(self):
        for result, flag in ((run("run", self.model, "one two " * 20, "--context", "16"), "--max-tokens"),
                             (run("model", "logits", self.model, "--tokens", "1,2,3,4,5", "--context", "4"), "--tokens")):
            self.assertEqual(result.returncode, 65, result.stderr)
            self.assertIn(flag, result.stderr)
            self.assertNotIn("max_tokens", result.stderr)

    def test_serve_looks_at_its_settings_before_it_looks_for_models(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flags, code, words in (
                    (["--address", "nowhere"], 2, "nowhere"),
                    (["--address", "0.0.0.0:0"], 2, "--insecure"),
                    (["--address", address], 69, address),
                    (["--tls-certificate", "/absent.pem", "--tls-key", "/absent.key"], 65, "/absent.pem")):
                result = run("serve", "absent.gguf", *flags)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(words, result.stderr)
        self.assertIn("absent.gguf", run("serve", "absent.gguf", "--address", "127.0.0.1:0").stderr)

    def test_serve_looks_whether_its_socket_file_can_be_made_before_it_loads(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as taken:
            plain, live = os.path.join(folder, "plain"), os.path.join(folder, "live")
            with open(plain, "w"):
                pass
            taken.bind(live)
            taken.listen()
            for path, code, words in ((os.path.join(folder, "none", "a"), 69, "none: No such file"),
                                      (os.path.join(plain, "a"), 69, "plain: Not a directory"),
                                      (plain, 1, "is not a socket"), (live, 69, "another process")):
                result = run("serve", self.model, "--address", f"unix:{path}")
                self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
                self.assertIn(words, result.stderr)
            self.assertTrue(os.path.exists(live))

    def test_the_plan_of_serve_has_the_urls_that_are_known_and_the_ready_line_the_port(self):
        with tempfile.TemporaryDirectory() as folder:
            for more, planned in (([], None), (["--address", f"unix:{folder}/a"], f"unix:{folder}/a\n")):
                with subprocess.Popen([AICTL, "serve", self.model, "--address", "127.0.0.1:0", *more], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT) as child:
                    rows = {}
                    for line in iter(child.stdout.readline, ""):
                        name, value = line.split(maxsplit=1)
                        rows[name] = value
                        if name == "ready":
                            child.terminate()
                self.assertEqual(rows.get("url"), planned)
                self.assertRegex(rows["ready"], r"^http://127\.0\.0\.1:[1-9]\d*\n$")


class WithoutAModel(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def test_help_is_what_help_flags_print(self):
        broken = self.file("config.yaml", b"a: [")
        for words in ([], ["serve"], ["model", "show"], ["help"]):
            helped = run("help", *words, "--config", broken)
            self.assertEqual((helped.returncode, helped.stdout), (0, run(*words, "--help").stdout), helped.stderr)
        unknown = run("help", "modle", "show")
        self.assertEqual((unknown.returncode, unknown.stdout), (2, ""))
        self.assertIn("unknown command 'modle'\n  did you mean 'model'?", unknown.stderr)

    def test_commands_on_path(self):
        self.file("aictl-frobnicate", b'#!/bin/sh\necho "$@"\n', 0o755)
        env = {"PATH": f"{self.folder}:/usr/bin:/bin"}
        for typed, printed in (("-q frobnicate a b", "a b"), ("-o json --no-color frobnicate -o yaml", "-o yaml"),
                               ("help frobnicate", "--help"), ("--help frobnicate a", "a --help"), ("frobnicate --version", "--version")):
            result = run(*typed.split(), env=env)
            self.assertEqual((result.stdout, result.stderr, result.returncode), (printed + "\n", "", 0), typed)
        self.assertEqual(run("-o", "yml", "frobnicate", env=env).returncode, 2)
        stray = run("frobnicat", "version", env=env)
        self.assertEqual((stray.returncode, stray.stdout), (2, ""))
        self.assertIn("unknown command 'frobnicat'\n  did you mean 'frobnicate'?", stray.stderr)

    def test_variables_that_nothing_reads_are_told(self):
        told = run("plugin", "list", env={"AICTL_CPU_IAS": "avx2", "AICTL_SERVE_PROT": "1", "AICTL_MODELS": self.folder})
        self.assertEqual(told.returncode, 0)
        self.assertEqual(told.stderr.count("warning: "), 2)
        self.assertIn("AICTL_CPU_IAS; did you mean 'AICTL_CPU_ISA'?", told.stderr)
        self.assertIn("AICTL_SERVE_PROT", told.stderr)
        self.assertNotIn("AICTL_MODELS", told.stderr)

    def test_the_instruction_set_is_forced_by_its_variable(self):
        shown = run("version", "-o", "json", env={"AICTL_CPU_ISA": "portable"})
        self.assertEqual((json.loads(shown.stdout)["isa"], shown.stderr), ("portable", ""))
        self.assertIn("portable", run("bench", "ceilings", env={"AICTL_CPU_ISA": "sse9"}).stderr)

    def test_determinism_is_proved_on_this_machine(self):
        proved = run("verify", "determinism", "-o", "json", "--requests", "12", run("model", "builtin").stdout.strip())
        self.assertEqual(proved.returncode, 0, proved.stderr + proved.stdout)
        report = json.loads(proved.stdout)
        self.assertEqual((report["deterministic"], report["tokens"]), (True, 12 * 64))
        self.assertTrue(all(check["same"] and not check["differences"] for check in report["checks"]))
        self.assertGreater(max(check["reused_tokens"] for check in report["checks"]), 0)  # a warm cache was met
        self.assertGreater(max(check["parkings"] for check in report["checks"]), 0)  # and memory too short
        refused = run("verify", "determinism", "--prompt-tokens", "100000", run("model", "builtin").stdout.strip())
        self.assertEqual(refused.returncode, 2)
        self.assertIn("prompts of 100000 tokens and 64 more are over the 8192 tokens", refused.stderr)

    def test_the_version_flag_knows_outputs(self):
        self.assertEqual(run("--version", "-o", "json").stdout, run("version", "-o", "json").stdout)

    def test_a_configuration_that_is_no_text_is_refused(self):
        refused = run("config", "view", "--config", self.file("config.yaml", b"\xff\xfe\0"))
        self.assertEqual((refused.returncode, refused.stdout), (65, ""))
        self.assertIn("config.yaml: line 1, column 1: byte 0xff is not UTF-8", refused.stderr)

    def test_an_empty_item_of_a_list_is_refused(self):
        refused = run("run", "absent.gguf", "--tokens", "1,2,")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("item 3 of '1,2,' is empty", refused.stderr)

    def test_errors_of_model_files_have_the_path_as_it_was_typed(self):
        path = self.file("cut.gguf", b"GGUF")
        for command in (["model", "show"], ["tokenize"]):
            refused = run(*command, path)
            self.assertEqual(refused.returncode, 65)
            self.assertIn(path, refused.stderr)

    def test_a_page_far_from_all_others_has_no_neighbour(self):
        self.assertNotIn("did you mean", run("man", "xyzzy").stderr)
        self.assertIn("did you mean 'model-show'?", run("man", "aictl-model-shwo").stderr)


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

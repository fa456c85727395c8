"""`aictl generate` end to end: the same bytes anywhere, other numbers for another machine."""
import json
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from support import AICTL, DEADLINE, ENVIRONMENT, run

TOPOLOGIES = pathlib.Path(__file__).resolve().parent.parent / "data" / "topologies"
SPEC = """name: shop
models:
- {name: chat, source: "SOURCE", shape: "SOURCE", engine: ENGINE, context: 8192, concurrency: 8}
"""


def sections(text):
    """The top-level sections of a spec, the comment lines before each left out."""
    parts = []
    for line in text.splitlines(keepends=True):
        if re.match(r"[a-z]", line):
            parts.append(line)
        elif parts and not line.startswith("#"):
            parts[-1] += line
    return parts


class Generate(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()

    def generate(self, *args, folder, env=None):
        return subprocess.run([AICTL, "generate", *args], cwd=folder, capture_output=True, text=True, timeout=DEADLINE,
                              env={**ENVIRONMENT, **(env or {})})

    def tree(self, folder):
        return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}

    def targets(self):
        listed = run("plugin", "list", "--kind", "renderer", "-o", "json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        names = [row["name"] for row in json.loads(listed.stdout) if row["kind"] == "renderer"]
        self.assertGreater(len(names), 18)
        return [name for name in names if name not in ("compose", "quadlet", "systemd")]

    def test_order_of_keys_folder_time_zone_and_locale_change_no_byte(self):
        targets = self.targets()
        made = subprocess.run([AICTL, "init", "--template", "ha"], cwd=self.folder, capture_output=True, text=True, env=ENVIRONMENT)
        self.assertEqual(made.returncode, 0, made.stderr)
        spec = (self.folder / "aictl.yaml").read_text()
        first = self.generate(*targets, "-o", "out", "--layout", "directory", folder=self.folder)
        self.assertEqual(first.returncode, 0, first.stderr)
        expected = self.tree(self.folder / "out")
        self.assertGreater(len(expected), 50)
        places = [{"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}, {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
                  {"TZ": "UTC", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"}]
        for seed, env in enumerate(places):
            other = self.folder / f"another folder {seed}" / "deeper"
            other.mkdir(parents=True)
            parts = sections(spec)
            random.Random(seed).shuffle(parts)
            self.assertNotEqual(parts, sections(spec))
            (other / "aictl.yaml").write_text("".join(part.rstrip("\n") + "\n" for part in parts))
            again = self.generate(*reversed(targets), "-o", "elsewhere", "--layout", "directory", folder=other, env=env)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(self.tree(other / "elsewhere"), expected)

    def numbers(self, dump, source="llama:8b", engine="vllm"):
        (self.folder / "aictl.yaml").write_text(SPEC.replace("SOURCE", source).replace("ENGINE", engine))
        made = self.generate("kubernetes", "--for", str(dump), "-o", "-", "-q", folder=self.folder)
        if made.returncode:
            return made
        pod = next(text for text in made.stdout.split("\n---\n") if re.search("^kind: (Deployment|StatefulSet)$", text, re.M))
        args = re.findall(r"^ +- (\S+)", pod, re.M)
        memory = re.search(r"memory: (\S+)", pod).group(1)
        gpus = re.search(r"(?:nvidia|amd)\.com/gpu: \"(\d+)\"", pod)
        return {"args": args, "memory": memory, "gpus": gpus and int(gpus.group(1)), "text": pod}

    def test_another_machine_has_other_numbers(self):
        big = self.numbers(TOPOLOGIES / "01-dgx2-16v100-nvswitch.xml")
        small = self.numbers(TOPOLOGIES / "04-aws-g4dn-metal-8t4.xml")
        value = lambda made, flag: made["args"][made["args"].index(flag) + 1].strip('"')
        self.assertEqual(big["gpus"], 1)  # 16 GB of weights in 32 GB
        self.assertEqual(small["gpus"], 2)  # in 15 GB: two of them, over PCI Express a stage each
        self.assertNotIn("--pipeline-parallel-size", big["args"])
        self.assertEqual((value(small, "--tensor-parallel-size"), value(small, "--pipeline-parallel-size")), ("1", "2"))
        self.assertNotEqual(big["memory"], small["memory"])

    def test_a_file_of_nodes_is_a_machine_too(self):
        dump = TOPOLOGIES / "04-aws-g4dn-metal-8t4.xml"
        shown = run("topo", "--input", str(dump), "-o", "json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        (self.folder / "node.json").write_text(shown.stdout)
        direct, again = self.numbers(dump), self.numbers(self.folder / "node.json")
        for key in ("args", "memory", "gpus"):
            self.assertEqual(direct[key], again[key])

    def test_what_cannot_fit_is_refused_with_the_arithmetic(self):
        refused = self.numbers(TOPOLOGIES / "04-aws-g4dn-metal-8t4.xml", source="llama:405b")
        self.assertEqual(refused.returncode, 65, refused.stderr)
        self.assertRegex(refused.stderr, r"aictl\.yaml:3:3: models\[0\]: model 'chat' does not fit default \(1 node: ")
        for word in ("weights ", "kv cache ", "need ", "usable ", "GiB"):
            self.assertIn(word, refused.stderr)
        self.assertFalse(refused.stdout)

    def test_no_machine_is_told_with_its_name(self):
        missing = self.numbers(self.folder / "none.xml")
        self.assertEqual(missing.returncode, 69, missing.stderr)
        self.assertIn("none.xml", missing.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

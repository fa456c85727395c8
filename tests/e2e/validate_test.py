"""aictl validate and diff: good manifests pass, each broken variant is refused for its reason, and, where the reference
checker is at hand, both find the same in documents broken at random."""
import collections
import copy
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from support import run

try:
    import yaml
except ImportError:
    print("skipped: PyYAML is not installed (python3-yaml)")
    sys.exit(77)

DATA = pathlib.Path(__file__).parent.parent / "data" / "manifests"
REFERENCE = pathlib.Path(os.environ.get("AICTL_SHARED", "")) / "tools" / "validate-manifests"
CASES = json.loads((DATA / "broken.json").read_text(encoding="utf-8"))
EXTERNAL = [word for name in CASES["external"] for word in ("--external", name)]
SEED = int(os.environ.get("AICTL_TEST_SEED", "1"))
# Where a server is milder than the reference checker, and so are we: what each class is, and how a finding is known for one.
# `ours` are our findings of that document, as (path, severity).
MILDER = {
    "pods, selectors and labels in custom resources are for their operator: a warning":
        lambda problem, ours: (problem["path"], "warning") in ours,
    "an empty word of the core API has a default":
        lambda problem, ours: problem["problem"].startswith(("'' is not one of", "must be Always in a"))
        or problem["path"] == "roleRef.apiGroup" or problem["path"].endswith(".targetPort") and problem["problem"].startswith("''"),
    "zero will do where the published schema asks for a field":
        lambda problem, ours: problem["problem"] == "required field is missing"
        and problem["path"].rpartition(".")[2] in ("value", "seconds", "podSelector", "preference"),
    "an empty namespace is that of the request":
        lambda problem, ours: problem["path"] == "metadata.namespace" and problem["problem"].startswith("''"),
    "the medium of an emptyDir is the kubelet's to know":
        lambda problem, ours: problem["path"].endswith("emptyDir.medium"),
}
# What the reference checker does not look at, and so never reports.
OURS_ALONE = ("server/", "cel/", "reference/", "lint/")


def label(document):
    metadata = document.get("metadata") or {}
    name = metadata.get("name") or document.get("jobSetId") or document.get("name") or "document 1"
    return f"{document.get('kind', '-')}/{name}"


def skeletons():
    documents = []
    for file in sorted((DATA / "skeletons").glob("*.yaml")):
        documents += [d for d in yaml.safe_load_all(file.read_text(encoding="utf-8")) if d]
    return documents


def place(document, at, case):
    for part in at[:-1]:
        document = document[int(part) if isinstance(document, list) else part]
    last = int(at[-1]) if isinstance(document, list) else at[-1]
    if case.get("delete"):
        del document[last]
    else:
        document[last] = case["value"]


def validate(text, *options):
    return run("validate", *options, "-", stdin=text)


def check_reference(text, *options):
    done = subprocess.run([sys.executable, str(REFERENCE), "--json", *options, "-"], input=text, capture_output=True,
                          text=True, check=False, timeout=300)
    return json.loads(done.stdout)["problems"]


class TheCorpus(unittest.TestCase):
    def test_the_skeletons_are_valid_together(self):
        done = run("validate", "--references", "--strict-warnings", *EXTERNAL, str(DATA / "skeletons"))
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        again = validate(yaml.safe_dump_all(skeletons()), "--references", "--strict-warnings", *EXTERNAL)
        self.assertEqual((again.returncode, again.stdout), (0, ""))

    def test_each_broken_variant_is_refused_for_its_reason(self):
        documents = skeletons()
        by_label = {label(d): n for n, d in enumerate(documents)}
        for case in CASES["broken"]:
            broken = copy.deepcopy(documents)
            number = by_label[case["object"]]
            place(broken[number], case["at"], case)
            options = ["--references", "--strict-warnings", *EXTERNAL] if case.get("references") else []
            done = validate(yaml.safe_dump_all(broken if options else [broken[number]]), *options)
            with self.subTest(case["object"], at=".".join(case["at"])):
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(case["expected"], done.stdout)

    def test_each_refused_text_names_its_reason(self):
        for case in CASES["texts"]:
            done = validate(case["text"])
            with self.subTest(case["text"]):
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(case["expected"], done.stdout)

    def test_a_set_equals_itself_in_any_order_and_spelling(self):
        documents = skeletons()
        random.Random(SEED).shuffle(documents)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as other:
            yaml.safe_dump_all(documents, other)
            other.flush()
            done = run("diff", str(DATA / "skeletons"), other.name)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


def places(value, at=()):
    """Every place below a document: paths of keys and numbers."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield at + (key,)
        yield from places(item, at + (key,))


VALUES = [None, True, 0, -1, 1.5, 7, 10**12, "", "x", "Not_Valid/At all", "0", "32GiB", "-5", [], {}, [None], ["x", "x"],
          [{"name": "a"}, {"name": "a"}], {"name": "a"}, {"unknownField": 1}]


def name_of(problem):
    """The name in a label: what stands before it may be a kind that is no text."""
    return problem["object"].rpartition("/")[2]


def value_at(document, at):
    for part in at:
        document = document[part]
    return document


def mutate(document, rng):
    """One change somewhere; apiVersion and kind are left alone mostly, or nothing else would be looked at, and the name
    always, which tells the findings apart."""
    *outer, last = rng.choice([p for p in places(document) if p not in (("metadata",), ("metadata", "name"), ("name",))
                               and (p[0] not in ("apiVersion", "kind") or rng.random() < 0.1)])
    inner = document
    for part in outer:
        inner = inner[part]
    choice = rng.random()
    if choice < 0.3:
        del inner[last]
    elif choice < 0.5 and isinstance(inner, dict):
        inner[str(last) + rng.choice(["x", "s", "_"])] = inner.pop(last)
    elif choice < 0.65 and isinstance(inner, list):
        inner.append(copy.deepcopy(inner[last]))
    elif choice < 0.75 and isinstance(inner[last], str):
        inner[last] = inner[last].swapcase() + rng.choice(["", " ", "!"])
    elif choice < 0.8 and isinstance(inner[last], int):
        inner[last] = inner[last] * rng.choice([-1, 1000, 10**9])
    else:
        inner[last] = copy.deepcopy(rng.choice(VALUES))


@unittest.skipUnless(REFERENCE.is_file(), "the reference checker is not at hand")
class AgreementWithTheReference(unittest.TestCase):
    def test_both_find_the_same_in_documents_broken_at_random(self):
        rng = random.Random(SEED)
        originals = skeletons()
        documents = []
        for number in range(1500):
            document = copy.deepcopy(rng.choice(originals))
            if "metadata" in document:  # labels of the findings must tell documents apart
                document["metadata"]["name"] = f"{document['metadata'].get('name', 'x')[:20]}-{number}"
            mutate(document, rng)
            documents.append(document)
        text = yaml.safe_dump_all(documents)
        theirs, ours = collections.defaultdict(set), collections.defaultdict(set)
        alone, milder = collections.defaultdict(set), collections.Counter()
        found = json.loads(validate(text, "-o", "json").stdout)["problems"]
        for problem in found:
            ours[name_of(problem)].add((problem["path"].lstrip("."), problem["severity"]))
            if problem["rule"].startswith(OURS_ALONE):
                alone[name_of(problem)].add((problem["path"].lstrip("."), problem["severity"]))
        for problem in check_reference(text):
            name, at = name_of(problem), (problem["path"].lstrip("."), problem["severity"])
            why = [what for what, is_one in MILDER.items() if at not in ours[name] and is_one(problem, ours[name])]
            theirs[name].update([] if why else [at])
            milder.update(why[:1])
        missed = {name: at - ours[name] for name, at in theirs.items() if at - ours[name]}
        invented = {name: at - theirs[name] - alone[name] for name, at in ours.items() if at - theirs[name] - alone[name]}
        self.maxDiff = None
        self.assertEqual(missed, {}, "found by the reference alone")
        self.assertEqual(invented, {}, "found by us alone")
        self.assertGreater(len(theirs), 500)  # or the mutations break nothing
        self.assertLess(sum(milder.values()), 150, milder)  # classes stay small

    def test_what_the_reference_finds_between_documents_is_found_here(self):
        rng = random.Random(SEED + 1)
        for _ in range(6):
            documents = skeletons()
            for document in rng.sample(documents, 8):
                texts = [p for p in places(document) if p[0] not in ("apiVersion", "kind")
                         and p[:2] != ("metadata", "name") and isinstance(value_at(document, p), str)]
                if texts:
                    at = rng.choice(texts)
                    place(document, at, {"value": value_at(document, at) + "x"})
            text = yaml.safe_dump_all(documents)
            options = ["--references", *EXTERNAL]
            ours = {(p["object"], p["path"]) for p in json.loads(validate(text, "-o", "json", *options).stdout)["problems"]}
            theirs = {(p["object"], p["path"]) for p in check_reference(text, *options)
                      if not any(is_one(p, ()) for is_one in MILDER.values())}
            self.assertEqual(theirs - ours, set())


if __name__ == "__main__":
    unittest.main()

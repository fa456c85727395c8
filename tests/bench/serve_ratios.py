#!/usr/bin/env python3
"""Ratios within one run of a real server: first tokens of prompts that come at once, and speculation on against off.

    serve_ratios.py first-token AICTL MODEL [--prompts 8] [--tokens 100] [--rounds 3]
    serve_ratios.py speculation AICTL MODEL [--rounds 5]

Prompts are token ids, so any model will do. Exits 1 when a ratio is over its limit. Standard library only.
"""
import argparse
import http.client
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

FIRST_TOKEN_LIMIT = 0.55  # median over maximum
SLOWER_LIMIT = 1.03  # speculation on over off


class Server:
    def __init__(self, aictl, model, *flags):
        self.process = subprocess.Popen(
            [aictl, "serve", model, "--address", "127.0.0.1:0", "-o", "json", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{aictl} serve {model} did not start")
        ready = json.loads(line)
        self.address, self.model = urlsplit(ready["url"]), ready["models"][0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stream(self, prompt, max_tokens, barrier=None, **more):
        """Seconds to the first event and to the end, and the text."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=600)
        connection.connect()
        body = json.dumps({"model": self.model, "prompt": prompt, "max_tokens": max_tokens, "stream": True, "temperature": 0,
                           "ignore_eos": True, **more})
        if barrier:
            barrier.wait()
        start, first, text = time.monotonic(), None, ""
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"{response.status}: {response.read()[:500]}")
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            first = first or time.monotonic() - start
            text += "".join(c["text"] for c in json.loads(line[6:])["choices"])
        connection.close()
        return first, time.monotonic() - start, text

    def counter(self, name):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def tokens(rng, count):
    return [rng.randrange(10, 250) for _ in range(count)]


def first_token(arguments):
    rng, ratios = random.Random(1), []
    with Server(arguments.aictl, arguments.model, "--no-prefix-cache") as server:
        server.stream(tokens(rng, arguments.tokens), 8)  # pages and prices
        for _ in range(arguments.rounds):
            barrier, waits = threading.Barrier(arguments.prompts), []
            threads = [threading.Thread(target=lambda p=tokens(rng, arguments.tokens): waits.append(
                server.stream(p, 64, barrier)[0])) for _ in range(arguments.prompts)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ratios.append(statistics.median(waits) / max(waits))
            print("first tokens after", " ".join(f"{w * 1000:.0f}" for w in sorted(waits)), "ms; median over last",
                  f"{ratios[-1]:.3f}")
    ratio = statistics.median(ratios)
    print(f"median of {len(ratios)} rounds: {ratio:.3f}, limit {FIRST_TOKEN_LIMIT}")
    return ratio <= FIRST_TOKEN_LIMIT


def speculation(arguments):
    rng, good = random.Random(2), True
    phrase = tokens(rng, 24)
    # What a greedy model makes of a prompt that repeats itself mostly repeats; at a high temperature nothing does.
    cases = {"repeating": (phrase * 6, {}), "random": (tokens(rng, 144), {"temperature": 1.5, "seed": 5})}
    with Server(arguments.aictl, arguments.model, "--speculate", "off") as off, \
            Server(arguments.aictl, arguments.model, "--speculate", "ngram") as on:
        for name, (prompt, more) in cases.items():
            ratios = []
            for round_ in range(arguments.rounds + 1):
                a, b = off.stream(prompt, 160, **more), on.stream(prompt, 160, **more)
                if a[2] != b[2]:
                    print(f"{name}: the answers differ")
                    good = False
                if round_ > 0:
                    ratios.append((b[1] - b[0]) / (a[1] - a[0]))
            ratio = statistics.median(ratios)
            good &= ratio <= SLOWER_LIMIT
            print(f"{name}: time with over without {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
                  f"limit {SLOWER_LIMIT}")
        print(f"drafted {on.counter('vllm:spec_decode_num_draft_tokens_total'):.0f}, "
              f"accepted {on.counter('vllm:spec_decode_num_accepted_tokens_total'):.0f}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first-token", "speculation"])
    parser.add_argument("aictl")
    parser.add_argument("model")
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    return 0 if {"first-token": first_token, "speculation": speculation}[arguments.what](arguments) else 1


if __name__ == "__main__":
    sys.exit(main())

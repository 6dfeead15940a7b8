#!/usr/bin/env python3
"""Quality and speed of `polyaxon tuner serve`: the best value found after 20, 50 and 100 trials, median of some seeds.

    python3 bench/tuner.py target/release/polyaxon                 all kinds, 10 seeds
    python3 bench/tuner.py target/release/polyaxon --kinds tpe --batch 5
    python3 bench/tuner.py target/release/polyaxon --latency

Three problems: branin (least value 0.397887), hartmann6 (-3.32237), and mixed (0), which imitates a loss of training with
numbers and choices. Standard library only. A bar that is missed makes the exit code 1.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

METRIC = {"name": "loss", "optimization": "minimize"}


def branin(c):
    x, y = c["x1"], c["x2"]
    b, t = 5.1 / (4 * math.pi**2), 1 / (8 * math.pi)
    return (y - b * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10


A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]


def hartmann6(c):
    def term(i):
        return sum(A[i][j] * (c["x%d" % j] - P[i][j] * 1e-4) ** 2 for j in range(6))
    return -sum(alpha * math.exp(-term(i)) for i, alpha in enumerate([1.0, 1.2, 3.0, 3.2]))


OPTIMIZERS = {"sgd": (-1.6, 0.35), "momentum": (-1.9, 0.15), "adam": (-3.1, 0.0), "rmsprop": (-3.4, 0.08), "lion": (-4.1, 0.2)}
ACTIVATIONS = {"relu": (5, 0.12), "gelu": (6, 0.0), "tanh": (3, 0.3)}


def mixed(c):
    rate, optimizer = OPTIMIZERS[c["optimizer"]]
    layers, activation = ACTIVATIONS[c["activation"]]
    off, batch = c["log10_lr"] - rate, math.log2(c["batch"]) - 6
    return (optimizer + activation + 0.55 * off**2 + 0.04 * (c["layers"] - layers) ** 2
            + 2.5 * (c["dropout"] - (0.05 + 0.03 * c["layers"])) ** 2 + 0.05 * abs(batch) + 0.06 * max(0.0, batch) * abs(off))


def uniform(low, high):
    return {"kind": "uniform", "value": [low, high]}


PROBLEMS = {
    "branin": (branin, {"x1": uniform(-5, 10), "x2": uniform(0, 15)}),
    "hartmann6": (hartmann6, {"x%d" % i: uniform(0, 1) for i in range(6)}),
    "mixed": (mixed, {
        "log10_lr": uniform(-5, -1), "dropout": uniform(0, 0.6), "layers": {"kind": "range", "value": [1, 10, 1]},
        "batch": {"kind": "choice", "value": [16, 32, 64, 128, 256]},
        "optimizer": {"kind": "choice", "value": sorted(OPTIMIZERS)},
        "activation": {"kind": "choice", "value": sorted(ACTIVATIONS)}}),
}

# Medians that must be reached after 50 and 100 trials.
BARS = {
    ("tpe", "branin"): (0.70, 0.43), ("tpe", "hartmann6"): (-2.80, -3.05), ("tpe", "mixed"): (0.20, 0.13),
    ("bayes", "branin"): (0.400, 0.3980), ("bayes", "hartmann6"): (-3.15, -3.30), ("bayes", "mixed"): (0.15, 0.01),
}


def matrix(kind, params, trials, seed):
    m = {"kind": kind, "params": params, "seed": seed}
    if kind == "random":
        m["numRuns"] = trials
    elif kind == "bayes":
        m.update(metric=METRIC, numInitialRuns=10, maxIterations=trials,
                 utilityFunction={"acquisitionFunction": "ucb", "kappa": 1.2})
    else:
        m.update(metric=METRIC, numRuns=1, maxIterations=trials)
        if kind == "hyperopt":
            m["algorithm"] = "anneal"
    return m


class Tuner:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "tuner", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, m, configs, metrics, num, seed):
        request = {"id": 0, "op": "suggest", "matrix": m, "configs": configs, "metrics": metrics, "num": num, "seed": seed}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            sys.exit(answer["error"])
        return answer["suggestions"]

    def cpu_seconds(self):
        fields = open("/proc/%d/stat" % self.process.pid).read().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def search(program, kind, problem, trials, batch, seed):
    function, params = PROBLEMS[problem]
    tuner, configs, metrics = Tuner(program), [], []
    while len(metrics) < trials:
        count = 10 if kind == "bayes" and not metrics else min(batch, trials - len(metrics))
        for config in tuner.ask(matrix(kind, params, trials, seed), configs, metrics, count, seed):
            configs.append(config)
            metrics.append(function(config))
    tuner.end()
    repeats = len(configs) - len({json.dumps(config, sort_keys=True) for config in configs})
    return [min(metrics[:n]) for n in (20, 50, trials)], repeats


def quality(args):
    missed = 0
    print("| kind | problem | @20 | @50 | @%d | repeats | seconds |\n|---|---|---|---|---|---|---|" % args.trials)
    for kind in args.kinds.split(","):
        for problem in PROBLEMS:
            start = time.time()
            found = [search(args.program, kind, problem, args.trials, args.batch, seed) for seed in range(args.seeds)]
            medians = [statistics.median(best[at] for best, _ in found) for at in range(3)]
            bars = BARS.get((kind, problem)) if args.batch == 1 and args.trials == 100 else None
            is_missed = bars is not None and (medians[1] > bars[0] or medians[2] > bars[1])
            missed += is_missed
            print("| %s | %s | %.4f | %.4f | %.4f%s | %d | %.1f |" % (
                kind, problem, *medians, " MISSED" if is_missed else "", sum(repeats for _, repeats in found),
                time.time() - start), flush=True)
    return missed


def latency(args):
    print("| kind | problem | trials | CPU ms per suggestion | ms per suggestion |\n|---|---|---|---|---|")
    for kind in args.kinds.split(","):
        for problem in ("hartmann6", "mixed"):
            function, params = PROBLEMS[problem]
            for count in (20, 100, 300, 1000):
                draw = Tuner(args.program)
                configs = draw.ask(matrix("random", params, count, 1), [], [], count, 1)
                draw.end()
                metrics = [function(config) for config in configs]
                tuner, calls = Tuner(args.program), 10
                m = matrix(kind, params, count + calls + 1, 1)
                tuner.ask(m, configs, metrics, 1, 1)
                cpu, wall = tuner.cpu_seconds(), time.time()
                for _ in range(calls):
                    configs += tuner.ask(m, configs, metrics, 1, 1)
                    metrics.append(function(configs[-1]))
                cpu, wall = tuner.cpu_seconds() - cpu, time.time() - wall
                tuner.end()
                print("| %s | %s | %d | %.1f | %.2f |" % (kind, problem, count, cpu * 1000 / calls, wall * 1000 / calls), flush=True)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kinds", default="random,tpe,bayes")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--latency", action="store_true")
    arguments = parser.parse_args()
    sys.exit(1 if (latency if arguments.latency else quality)(arguments) else 0)

#!/usr/bin/env python3
"""Measures the file format: `check` of large graphs, a large grid, the whole corpus, files of growing size.
Run it with `cargo xtask bench language`, on a machine that does nothing else.

Files are generated. Every number is printed with its target; nothing fails when one is missed.
"""

import argparse
import pathlib
import tempfile

from bench import Report, clean_environment, measure_command

# Operations of the generated graphs; the official program needs minutes for more.
SIZES = [1, 2, 5, 10, 20, 40, 80, 150, 300, 600]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built program; `conformance` lies beside it")
    parser.add_argument("--official", help="the official `polyaxon`, to compare with")
    arguments = parser.parse_args()
    conformance = str(pathlib.Path(arguments.program).resolve().with_name("conformance"))
    with tempfile.TemporaryDirectory(prefix="polyaxon-bench-") as folder:
        folder = pathlib.Path(folder)
        environment = clean_environment(folder / "home")
        report = Report()

        def measure(what, command, times, milliseconds=None, megabytes=None):
            wall, memory = measure_command(command, environment, times)
            report.add(what, wall * 1000, "ms", milliseconds)
            if memory:
                report.add(f"{what}, memory", memory / 1e6, "MB", megabytes)

        large = write(folder / "dag-1000.yaml", graph(1000))
        measure("check, 1000 operations", [arguments.program, "check", "-f", large], 10, 100, 100)
        grid = write(folder / "grid.yaml", search(100, 1000))
        measure("compose 100000 children of a grid", [conformance, "--children", grid], 1, None, 100)
        measure("the corpus in one process", [conformance, "--corpus"], 3, 5000)
        compare(arguments, environment, folder)


def compare(arguments, environment, folder):
    print(f"\n{'operations':>10} {'lines':>8} {'check':>12} {'official check':>16} {'times':>8}")
    for size in SIZES:
        text = graph(size)
        file = write(folder / f"dag-{size}.yaml", text)
        ours, _ = measure_command([arguments.program, "check", "-f", file], environment, 5)
        line = f"{size:>10} {text.count(chr(10)):>8} {ours * 1000:>9.1f} ms"
        if arguments.official:
            theirs, _ = measure_command([arguments.official, "check", "-f", file], environment, 1)
            line += f" {theirs * 1000:>13.0f} ms {theirs / ours:>7.0f}x"
        print(line, flush=True)


def write(path, text):
    path.write_text(text)
    return str(path)


def graph(size):
    """A dag in layers: each operation takes an output of an earlier one and calls a component by reference."""
    lines = [
        "version: 1.1",
        "kind: component",
        "name: large",
        "inputs:",
        "- {name: lr, type: float, value: 0.1, isOptional: true}",
        "run:",
        "  kind: dag",
        "  components:",
        "  - name: train",
        "    inputs:",
        "    - {name: lr, type: float}",
        "    - {name: before, type: float, value: 0, isOptional: true}",
        "    outputs:",
        "    - {name: loss, type: float}",
        "    run:",
        "      kind: job",
        "      environment: {labels: {team: vision}}",
        "      container:",
        "        image: train:1",
        "        command: [python, train.py]",
        '        args: ["--lr={{ lr }}", "--before={{ before }}"]',
        "  operations:",
    ]
    for index in range(size):
        lines += [
            f"  - name: op-{index}",
            "    dagRef: train",
            "    params:",
            "      lr: {ref: dag, value: inputs.lr}",
        ]
        if index >= 10:
            lines.append(f"      before: {{ref: ops.op-{index - 10}, value: outputs.loss}}")
        if index % 10:
            lines.append(f"    dependencies: [op-{index - 1}]")
    return "\n".join(lines) + "\n"


def search(first, second):
    return f"""version: 1.1
kind: operation
name: sweep
matrix:
  kind: grid
  params:
    lr: {{kind: linspace, value: {{start: 0.001, stop: 0.1, num: {first}}}}}
    seed: {{kind: range, value: {{start: 0, stop: {second}, step: 1}}}}
component:
  inputs:
  - {{name: lr, type: float}}
  - {{name: seed, type: int}}
  run:
    kind: job
    container: {{image: "train:1", command: [python, train.py], args: ["--lr={{{{ lr }}}}", "--seed={{{{ seed }}}}"]}}
"""


if __name__ == "__main__":
    main()

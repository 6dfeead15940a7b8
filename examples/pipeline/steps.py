"""The steps of the pipeline: each is one command, and tells Polyaxon what it found with the official client.

    python steps.py STEP --help
"""

import argparse
import json
import os
import pathlib
import sys

try:
    import numpy as np
    from polyaxon import tracking
except ImportError as error:
    sys.exit(
        f"steps.py needs the package `{error.name}`, which this Python ({sys.executable}) does not have.\n"
        "Install what the example needs with: pip install -r ../quick-start/requirements.txt"
    )

DATA = pathlib.Path(__file__).parent.parent / "quick-start" / "digits.csv.gz"
DIGITS = 10


def outputs():
    """The folder of the run's own files."""
    folder = pathlib.Path(tracking.get_outputs_path() or "outputs")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def prepare(arguments):
    """Splits the digits: three fifths to learn from, one to compare models with, one for the final test."""
    rows = np.loadtxt(DATA, delimiter=",", dtype=np.float32)
    images, labels, part = rows[:, :-1] / 16, rows[:, -1].astype(int), np.arange(len(rows)) % 5
    parts = {"train": part < 3, "compare": part == 3, "test": part == 4}
    path = outputs() / "digits.npz"
    arrays = {f"{name}_{kind}": values[mask] for name, mask in parts.items() for kind, values in [("x", images), ("y", labels)]}
    np.savez_compressed(path, **arrays)
    tracking.log_outputs(data=str(path), rows=len(rows))


def baseline(arguments):
    """What can be had without learning much: the nearest mean image."""
    data = np.load(arguments.data)
    means = np.stack([data["train_x"][data["train_y"] == digit].mean(axis=0) for digit in range(DIGITS)])
    distances = ((data["test_x"][:, None] - means[None]) ** 2).sum(axis=2)
    accuracy = float((distances.argmin(axis=1) == data["test_y"]).mean())
    print(f"the nearest mean is right in {accuracy:.1%} of cases", flush=True)
    tracking.log_outputs(accuracy=accuracy)


def forward(model, images):
    hidden = np.maximum(images @ model["w1"] + model["b1"], 0)
    scores = hidden @ model["w2"] + model["b2"]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def train(arguments):
    """A network with one hidden layer, by gradient descent; `epochs` may be a fraction."""
    data = np.load(arguments.data)
    images, labels = data["train_x"], data["train_y"]
    random = np.random.default_rng(7)
    sizes = [images.shape[1], arguments.hidden, DIGITS]
    model = {
        "w1": random.normal(0, (2 / sizes[0]) ** 0.5, sizes[:2]), "b1": np.zeros(sizes[1]),
        "w2": random.normal(0, (2 / sizes[1]) ** 0.5, sizes[1:]), "b2": np.zeros(sizes[2]),
    }
    steps = max(1, round(arguments.epochs * len(images) / 32))
    for step in range(1, steps + 1):
        batch = random.integers(0, len(images), 32)
        hidden, guess = forward(model, images[batch])
        error = (guess - np.eye(DIGITS)[labels[batch]]) / len(batch)
        back = (error @ model["w2"].T) * (hidden > 0)
        slopes = {"w1": images[batch].T @ back, "b1": back.sum(axis=0), "w2": hidden.T @ error, "b2": error.sum(axis=0)}
        for name, slope in slopes.items():
            model[name] -= arguments.learning_rate * slope
        if step % max(1, steps // 5) == 0:
            guess = forward(model, data["compare_x"])[1]
            right = guess[np.arange(len(guess)), data["compare_y"]]
            loss, accuracy = float(-np.log(right + 1e-12).mean()), float((guess.argmax(axis=1) == data["compare_y"]).mean())
            tracking.log_metrics(step=step, loss=loss, accuracy=accuracy)
            print(f"step {step}/{steps}  loss {loss:.4f}  accuracy {accuracy:.2%}", flush=True)
    path = outputs() / "model.npz"
    np.savez_compressed(path, **model)
    tracking.log_outputs(model=str(path), loss=loss, accuracy=accuracy)


def pick(arguments):
    """Takes the best of what a join found; it is sorted already."""
    best = max(zip(arguments.accuracies, arguments.models))
    print(f"{len(arguments.models)} models, the best has {best[0]:.2%}", flush=True)
    tracking.log_outputs(accuracy=best[0], model=best[1], candidates=len(arguments.models))


def evaluate(arguments):
    """The picked model on digits that no model has seen."""
    data, model = np.load(arguments.data), np.load(arguments.model)
    guess = forward(model, data["test_x"])[1].argmax(axis=1)
    accuracy = float((guess == data["test_y"]).mean())
    by_digit = {digit: float((guess[data["test_y"] == digit] == digit).mean()) for digit in range(DIGITS)}
    worst = min(by_digit, key=by_digit.get)
    tracking.log_outputs(accuracy=accuracy, worst_digit=worst, worst_accuracy=by_digit[worst])


def report(arguments):
    """A page for people."""
    gain = arguments.accuracy - arguments.baseline
    text = (
        f"# Digits\n\n* accuracy on unseen digits: {arguments.accuracy:.2%}\n* nearest mean: {arguments.baseline:.2%} "
        f"({gain:+.2%})\n* models compared: {arguments.candidates}\n* hardest digit: {arguments.worst_digit}\n"
    )
    (outputs() / "report.md").write_text(text)
    print(text, flush=True)
    tracking.log_outputs(gain=gain)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(required=True)
    options = {
        prepare: {},
        baseline: {"data": str},
        train: {"data": str, "hidden": int, "learning_rate": float, "epochs": float},
        pick: {"models": json.loads, "accuracies": json.loads},
        evaluate: {"data": str, "model": str},
        report: {"accuracy": float, "baseline": float, "candidates": int, "worst_digit": int},
    }
    for step, names in options.items():
        command = steps.add_parser(step.__name__, help=step.__doc__)
        command.set_defaults(step=step)
        for name, kind in names.items():
            command.add_argument(f"--{name}", type=kind, required=True)
    arguments = parser.parse_args()
    tracking.init(is_offline="POLYAXON_RUN_INSTANCE" not in os.environ)
    arguments.step(arguments)
    tracking.end()


if __name__ == "__main__":
    main()

"""Trains a small neural network that reads hand-written digits, and tracks the training with Polyaxon.

The data set is real and lies beside this file (see DATA.md). Only the official Polyaxon client (with pandas, which it reads its metrics with) and numpy are needed:

    pip install -r requirements.txt
"""

import argparse
import gzip
import json
import os
import pathlib
import sys

try:
    import numpy as np
    from polyaxon import tracking
except ImportError as error:
    sys.exit(
        f"train.py needs the package `{error.name}`, which this Python ({sys.executable}) does not have.\n"
        "Install what the example needs with: pip install -r examples/quick-start/requirements.txt\n"
        "or let `cargo xtask quickstart` prepare a virtual environment."
    )

DATA = pathlib.Path(__file__).with_name("digits.csv.gz")
DIGITS = 10


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--learning_rate", type=float, default=0.05)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--hidden_sizes", type=json.loads, default=[64, 32], help="a JSON list, such as [64, 32]")
    parser.add_argument("--activation", choices=sorted(ACTIVATIONS), default="relu")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--weight_decay", type=float, default=0.0001)
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


# Each activation with its slope, written in terms of the activation's own output.
ACTIVATIONS = {
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(y.dtype)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
}


def read_digits():
    """Returns (train images, train labels, test images, test labels); every fifth digit is kept for the test."""
    with gzip.open(DATA, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
    images, labels = rows[:, :-1] / 16, rows[:, -1].astype(int)
    is_test = np.arange(len(rows)) % 5 == 0
    return images[~is_test], labels[~is_test], images[is_test], labels[is_test]


class Network:
    """A fully connected network with a softmax at its end, trained by gradient descent with momentum."""

    def __init__(self, sizes, activation, random):
        self.activate, self.slope = ACTIVATIONS[activation]
        self.weights = [random.normal(0, (2 / a) ** 0.5, (a, b)) for a, b in zip(sizes, sizes[1:])]
        self.biases = [np.zeros(size) for size in sizes[1:]]
        self.speeds = [np.zeros_like(values) for values in self.weights + self.biases]

    def forward(self, images, dropout=0.0, random=None):
        """Returns the output of every layer; the last one holds the probabilities of the ten digits."""
        layers = [images]
        for weights, biases in zip(self.weights[:-1], self.biases[:-1]):
            hidden = self.activate(layers[-1] @ weights + biases)
            if dropout:
                hidden = hidden * (random.random(hidden.shape) >= dropout) / (1 - dropout)
            layers.append(hidden)
        scores = layers[-1] @ self.weights[-1] + self.biases[-1]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return layers + [scores / scores.sum(axis=1, keepdims=True)]

    def learn(self, images, labels, arguments, random):
        """Takes one step on one batch."""
        layers = self.forward(images, arguments.dropout, random)
        error = (layers[-1] - np.eye(DIGITS)[labels]) / len(images)
        weight_slopes, bias_slopes = [], []
        for index in reversed(range(len(self.weights))):
            weight_slopes.insert(0, layers[index].T @ error + arguments.weight_decay * self.weights[index])
            bias_slopes.insert(0, error.sum(axis=0))
            if index > 0:
                error = (error @ self.weights[index].T) * self.slope(layers[index])
        for values, slopes, speed in zip(self.weights + self.biases, weight_slopes + bias_slopes, self.speeds):
            speed *= 0.9
            speed -= arguments.learning_rate * slopes
            values += speed

    def measure(self, images, labels):
        """Returns (loss, accuracy)."""
        probabilities = self.forward(images)[-1]
        loss = -np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean()
        accuracy = (probabilities.argmax(axis=1) == labels).mean()
        return float(loss), float(accuracy)

    def save(self, path):
        layers = {f"weights_{i}": values for i, values in enumerate(self.weights)}
        layers.update({f"biases_{i}": values for i, values in enumerate(self.biases)})
        np.savez_compressed(path, **layers)


def start_tracking(arguments):
    # Polyaxon tells the script which run it belongs to. Started by hand, the same script tracks into a folder.
    if os.environ.get("POLYAXON_RUN_INSTANCE"):
        tracking.init()
    else:
        tracking.init(is_offline=True, is_new=True, name="quick-start")
    tracking.log_inputs(**vars(arguments))
    tracking.log_data_ref(name="digits", path=str(DATA), summary={"digits": 1797, "pixels": "8 x 8"})


def main():
    arguments = read_arguments()
    start_tracking(arguments)
    images, labels, test_images, test_labels = read_digits()
    print(f"{len(images)} digits to learn from, {len(test_images)} to test with", flush=True)

    random = np.random.default_rng(arguments.seed)
    network = Network([images.shape[1], *arguments.hidden_sizes, DIGITS], arguments.activation, random)
    for epoch in range(1, arguments.epochs + 1):
        order = random.permutation(len(images)) if arguments.shuffle else np.arange(len(images))
        for start in range(0, len(order), arguments.batch_size):
            batch = order[start : start + arguments.batch_size]
            network.learn(images[batch], labels[batch], arguments, random)
        train_loss, train_accuracy = network.measure(images, labels)
        loss, accuracy = network.measure(test_images, test_labels)
        tracking.log_metrics(
            step=epoch, loss=loss, accuracy=accuracy, train_loss=train_loss, train_accuracy=train_accuracy
        )
        tracking.log_progress(epoch / arguments.epochs)
        print(f"epoch {epoch}/{arguments.epochs}  loss {loss:.4f}  accuracy {accuracy:.2%}", flush=True)

    # With POLYAXON_NO_OP=true nothing is tracked, and there is no outputs folder.
    model = tracking.get_outputs_path("model.npz") or "model.npz"
    network.save(model)
    tracking.log_model_ref(path=model, name="digits-network", framework="numpy")
    tracking.log_outputs(loss=loss, accuracy=accuracy)
    print(f"model saved to {model}", flush=True)


if __name__ == "__main__":
    main()

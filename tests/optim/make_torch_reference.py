"""Writes torch_reference.json: where torch.optim stands after a hundred steps. Needs torch, which no test does.

    python tests/optim/make_torch_reference.py

The loss is ½ |A x − b|² + Σ (1 − cos x) in double precision, A and b from a fixed seed.
"""

import json
from pathlib import Path

import numpy as np

STEPS = 100  # later on RMSProp circles the minimum chaotically: round-off decides where it stands
CASES = [
    ("SGD", {"lr": 0.02}, "sgd", {"learning_rate": 0.02}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}, "sgd", {"learning_rate": 0.01, "momentum": 0.9}),
    (
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        "sgd",
        {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True},
    ),
    ("Adam", {"lr": 0.03, "betas": (0.8, 0.99)}, "adam", {"learning_rate": 0.03, "b1": 0.8, "b2": 0.99}),
    (
        "AdamW",
        {"lr": 0.03, "weight_decay": 0.05},
        "adamw",
        {"learning_rate": 0.03, "weight_decay": 0.05},
    ),
    (
        "RMSprop",
        {"lr": 0.01, "alpha": 0.95},
        "rmsprop",
        {"learning_rate": 0.01, "decay": 0.95, "eps_in_sqrt": False},
    ),
]


def main() -> None:
    """Trains by each of them and writes where they end."""
    import torch

    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(7)
    matrix, right, start = rng.normal(size=(12, 8)) / 2, rng.normal(size=12), rng.normal(size=8)
    cases = []
    for name, settings, ours, arguments in CASES:
        x = torch.tensor(start, requires_grad=True)
        optimiser = getattr(torch.optim, name)([x], **settings)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = 0.5 * ((torch.tensor(matrix) @ x - torch.tensor(right)) ** 2).sum() + (1 - torch.cos(x)).sum()
            loss.backward()
            optimiser.step()
        label = f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})"
        cases.append({"torch": label, "ours": ours, "arguments": arguments, "end": x.tolist()})
    written = {
        "version": torch.__version__.partition("+")[0],
        "steps": STEPS,
        "matrix": matrix.tolist(),
        "right": right.tolist(),
        "start": start.tolist(),
        "cases": cases,
    }
    Path(__file__).with_name("torch_reference.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()

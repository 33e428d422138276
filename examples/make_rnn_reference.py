"""Makes rnn_reference.json: weights, inputs and outputs of torch.nn.RNNCell in float64, for rnn_is_an_ode.py.

Needs torch (2.13.0 when the file was made), which nothing else here does: python examples/make_rnn_reference.py
"""

import json
from pathlib import Path

import torch

SEED, INPUTS, UNITS, STEPS = 0, 2, 3, 16


def main():
    torch.manual_seed(SEED)
    cell = torch.nn.RNNCell(INPUTS, UNITS, nonlinearity="tanh", dtype=torch.float64)
    inputs = torch.randn(STEPS, INPUTS, dtype=torch.float64)
    state, outputs = torch.zeros(UNITS, dtype=torch.float64), []
    with torch.no_grad():
        for x in inputs:
            state = cell(x, state)
            outputs.append(state.tolist())
    record = {name: weight.tolist() for name, weight in cell.state_dict().items()}
    record |= {"inputs": inputs.tolist(), "outputs": outputs, "torch": torch.__version__.split("+")[0], "seed": SEED}
    path = Path(__file__).with_name("rnn_reference.json")
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()

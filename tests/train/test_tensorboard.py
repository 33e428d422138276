"""The metrics of a run, read back from what TensorBoard would read."""

import struct

import jax.numpy as jnp
import pytest

from continua import optim
from continua.files import DataError
from continua.train import to_tensorboard, train


def scalars(folder):
    """(tag, step): value, from the records of all event files: length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for file in folder.iterdir():
        held = file.read_bytes()
        while held:
            size = struct.unpack("<Q", held[:8])[0]
            event, held = Event.FromString(held[12 : 12 + size]), held[16 + size :]
            found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    return found


def test_curves_are_those_of_the_run(tmp_path):
    pytest.importorskip("tensorboardX")
    x = jnp.linspace(0.0, 1.0, 8)
    found = train(
        lambda w, batch: jnp.mean((w - batch) ** 2),
        jnp.zeros(()),
        x,
        optim.sgd(0.1),
        epochs=3,
        folder=tmp_path / "run",
        watch=lambda step, *_: {"twice": 2 * step},
        every=1,
    )
    for _ in range(2):  # a second call repeats nothing
        curves = scalars(to_tensorboard(tmp_path / "run"))
    assert {k: v for k, v in curves.items() if k[0] == "watched/twice"} == {
        ("watched/twice", n): 2 * n for n in (1, 2, 3)
    }
    for row in found.history:
        assert curves["epochs/loss", row["step"]] == pytest.approx(row["loss"], rel=1e-6)


def test_a_folder_without_a_run_is_refused(tmp_path):
    pytest.importorskip("tensorboardX")
    with pytest.raises(DataError, match="folder of a run"):
        to_tensorboard(tmp_path)
    assert not list(tmp_path.iterdir())

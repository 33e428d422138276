"""`configure` does what it says, in a process of its own; too late or wrong, it says so in one line."""

import os
import subprocess
import sys

import jax
import pytest

import continua
from continua.core import ArgumentError, ArgumentTypeError


def said(program, **environment):
    """What a fresh process prints."""
    command = [sys.executable, "-c", "import continua, jax; from jax import config as c; " + program]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=inherited | environment)
    return done.stdout.strip()


@pytest.mark.core
def test_devices_precision_and_cache(tmp_path):
    program = (
        "continua.configure(devices=3, float64=True, cache=True); "
        "print(len(jax.devices()), jax.numpy.ones(1).dtype, c.jax_compilation_cache_dir); "
        "continua.configure(devices=3, cache=False); print(c.jax_enable_x64, c.jax_compilation_cache_dir)"
    )
    lines = said(program, XDG_CACHE_HOME=str(tmp_path)).split("\n")
    assert lines == [f"3 float64 {tmp_path / 'continua'}", "True None"]


def test_one_device_for_each_usable_core_and_nothing_else():
    program = (
        "from continua.core.configuration import usable_cores; before = dict(c.values); continua.configure(); "
        "print(len(jax.devices()) == usable_cores(), "
        "{k for k in before if c.values[k] != before[k]} <= {'jax_num_cpu_devices'})"
    )
    assert said(program) == "True True"


@pytest.mark.core
def test_too_late_is_one_line():
    jax.numpy.ones(1)
    started = len(jax.devices("cpu"))
    continua.configure(devices=started)
    with pytest.raises(
        ArgumentError, match=r"cannot be changed once JAX computes\. Got 7, and it started with"
    ) as caught:
        continua.configure(devices=7)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"devices": 0}, ArgumentError, "`devices` of `configure` must be a positive int. Got 0. Use 2"),
        ({"devices": True}, ArgumentError, "`devices` .* Got True"),
        ({"float64": 1}, ArgumentTypeError, "`float64` of `configure` must be a bool. Got 1"),
        ({"cache": 3}, ArgumentTypeError, "`cache` of `configure` must be a bool or a path. Got 3"),
    ],
)
def test_is_refused_in_one_line(given, kind, words):
    with pytest.raises(kind, match=words):
        continua.configure(**given)

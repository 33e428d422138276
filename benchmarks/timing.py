"""How everything here is timed: one pinned core, interleaved rounds, CPU time and wall time, compile time apart."""

import gc
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")


class Timing(NamedTuple):
    """Milliseconds a call: medians and minima over the rounds."""

    cpu: float
    cpu_min: float
    wall: float
    wall_min: float


def pin_one_core() -> None:
    """Keep this process on one core and its libraries on one thread; before they are imported."""
    os.environ |= dict.fromkeys(THREADS, "1")
    os.environ |= {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def interleaved(
    functions: dict[str, Callable[[], Any]],
    rounds: int,
    least: float = 0.02,
    compilations: int = 1,
    clear: Callable[[], None] = gc.collect,
) -> dict[str, Timing]:
    """Time each function once a round, for `least` seconds: what disturbs the machine disturbs all of them.

    Each turn of a fast one begins with a call that is not timed, and each round with another function: a predecessor
    leaves its traces in the caches. The rounds are shared among several compilations, with `clear` before each: where
    the same code happens to lie in memory is worth a fifth of its time.
    """
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for _ in range(compilations):
        clear()
        _turns(functions, -(-rounds // compilations), least, turns)
    return {name: _summary(found) for name, found in turns.items()}


def _turns(functions: dict[str, Callable], rounds: int, least: float, turns: dict[str, list]) -> None:
    for function in functions.values():
        function()
    repeats = {name: max(1, round(least / seconds(function, 2)[1])) for name, function in functions.items()}
    names = list(functions)
    gc.disable()
    for number in range(rounds):
        gc.collect()
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if repeats[name] > 1:
                functions[name]()
            turns[name].append(seconds(functions[name], repeats[name]))
    gc.enable()


def seconds(function: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """(CPU, wall) seconds a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.process_time() - cpu) / repeats, (time.perf_counter() - wall) / repeats


def _summary(found: Sequence[tuple[float, float]]) -> Timing:
    cpu, wall = ([1e3 * x for x in column] for column in zip(*found, strict=True))
    return Timing(statistics.median(cpu), min(cpu), statistics.median(wall), min(wall))


def compile_seconds(
    builds: dict[str, Callable[[], Any]], clear: Callable[[], None], rounds: int = 3
) -> dict[str, float]:
    """CPU seconds to trace, lower and compile from empty caches: the median, rounds interleaved."""
    found: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(rounds):
        for name, build in builds.items():
            clear()
            gc.collect()
            found[name].append(seconds(build, 1)[0])
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def process_seconds(arguments: Sequence[str], **environment: str) -> tuple[float, float]:
    """(CPU, wall) seconds of a fresh Python with these arguments, which keeps bytecode as it does everywhere."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command, inherited = [sys.executable, *arguments], os.environ | {"JAX_PLATFORMS": "cpu"} | environment
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def clear_caches() -> None:
    """Empty all of JAX's caches of compiled programs."""
    import equinox as eqx
    import jax

    jax.clear_caches()
    eqx.clear_caches()


def versions(names: Sequence[str]) -> dict[str, str]:
    """Of those that are installed."""
    installed = {d.name.lower(): d.version for d in metadata.distributions() if d.name}
    return {name: installed[name] for name in names if name in installed}


def machine() -> dict[str, str | int]:
    """What the numbers were measured on, without its name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "system": platform.system(),
    }

"""Rows of a table: the programs of every candidate on one point, compiled, read and timed beside each other."""

from collections.abc import Callable, Sequence
from typing import Any

import timing

Record = dict[str, Any]
Functions = dict[str, dict[str, Callable[..., Any]]]  # candidate, kind (forward, gradient): a function
HEAD = "CPU, ms | wall, ms"


def measured(
    functions: Functions,
    point: Sequence[Any],
    rounds: int,
    read: Callable[[str, str, Any], Record],
    ready: Functions | None = None,
) -> Record:
    """Times of each kind, compile time and memory, and what `read(candidate, kind, output)` says of the output.

    `functions` are compiled by JAX; those in `ready` are called as they are, without arguments.
    """
    import jax

    rows: Record = {}
    programs: dict[str, dict[str, Callable[[], Any]]] = {}
    for name, kinds in functions.items():
        for kind, function in kinds.items():
            seconds, compiled = _compiled(function, point)
            program = lambda compiled=compiled: jax.block_until_ready(compiled(*point))  # noqa: E731
            programs.setdefault(kind, {})[name] = program
            found = {"compile": seconds, "temp_bytes": compiled.memory_analysis().temp_size_in_bytes}
            rows.setdefault(name, {})[kind] = found | read(name, kind, program())
    for name, kinds in (ready or {}).items():
        for kind, program in kinds.items():
            programs.setdefault(kind, {})[name] = program
            rows.setdefault(name, {})[kind] = read(name, kind, program())
    for kind, runs in programs.items():
        for name, found in timing.interleaved(runs, rounds).items():
            rows[name][kind] |= found._asdict()
    return rows


def _compiled(function: Callable[..., Any], point: Sequence[Any]) -> tuple[float, Any]:
    import jax

    built: list[Any] = []
    build = lambda: built.append(jax.jit(function).lower(*point).compile())  # noqa: E731
    return timing.compile_seconds({"": build}, timing.clear_caches, 1)[""], built[0]


def times(found: Record) -> str:
    """The cells under HEAD: medians, and in brackets the smallest."""
    return " | ".join(f"{found[kind]:.3g} ({found[kind + '_min']:.3g})" for kind in ("cpu", "wall"))


def costs(found: Record) -> str:
    """Compile seconds and MiB of memory; dashes where nothing was compiled."""
    return f"{found['compile']:.2f} | {found['temp_bytes'] / 2**20:.1f}" if "compile" in found else "– | –"


def target(title: str, kind: str, ours: Record, peer: Record, at_most: float) -> str:
    """A row of targets: CPU time of ours over that of the peer."""
    ratio = ours[kind]["cpu"] / peer[kind]["cpu"]
    met = "met" if ratio <= at_most else "missed"
    return f"| {title} | {kind} | {share(ratio)} | ≤ {share(at_most)} | {met} |"


def share(ratio: float) -> str:
    """As one speaks of it: 1/5 and not 0.2."""
    return f"1/{1 / ratio:.3g}" if ratio < 1 else f"{ratio:.3g}"

"""What a program may set up once, before its first computation; no import of this library does any of it."""

import os
from pathlib import Path
from typing import Any

import jax

from continua.core.errors import ArgumentError, ArgumentTypeError

LEAST_SECONDS = 0.1  # what compiles faster is not worth a file


def configure(*, devices: int | None = None, float64: Any = None, cache: Any = None) -> None:
    """Set JAX up for the whole program; call it before anything is computed.

    `solve_ensemble` spreads its trajectories over all devices of JAX, and a processor is one device unless told
    otherwise.

    Args:
        devices: into how many devices the processor is divided; one for each core that this process may use, unless
            given.
        float64: whether arrays may have 64 bits; as it is, unless given.
        cache: whether compiled programs are kept on disk for the next run: True in the user's cache folder, a path in
            that folder, False nowhere; as it is, unless given.

    Raises:
        ArgumentError: a value cannot be used, or JAX has started with another number of devices.
        ArgumentTypeError: a type cannot be used.

    Example:
        >>> import continua
        >>> continua.configure(devices=1, float64=True)
    """
    _check(devices, float64, cache)
    _divide(usable_cores() if devices is None else devices)
    if float64 is not None:
        jax.config.update("jax_enable_x64", float64)
    if cache is not None:
        _keep_programs(cache)


def usable_cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(devices: Any, float64: Any, cache: Any) -> None:
    if devices is not None and (isinstance(devices, bool) or not isinstance(devices, int) or devices < 1):
        raise ArgumentError(
            f"`devices` of `configure` must be a positive int. Got {devices!r}. Use 2, or leave it out."
        )
    if float64 is not None and not isinstance(float64, bool):
        raise ArgumentTypeError(f"`float64` of `configure` must be a bool. Got {float64!r}. Use True.")
    if cache is not None and not isinstance(cache, bool | str | os.PathLike):
        raise ArgumentTypeError(f"`cache` of `configure` must be a bool or a path. Got {cache!r}. Use True.")


def _divide(devices: int) -> None:
    try:
        jax.config.update("jax_num_cpu_devices", devices)
    except RuntimeError:  # JAX has started; that is no matter where it did so with this number
        started = len(jax.devices("cpu"))
        if started != devices:
            raise ArgumentError(
                f"`devices` of `configure` cannot be changed once JAX computes. Got {devices}, and it started with "
                f"{started}. Use `configure` before the first computation."
            ) from None


def _keep_programs(cache: bool | str | os.PathLike) -> None:
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "continua"
    folder = own if isinstance(cache, bool) else Path(cache)
    jax.config.update("jax_compilation_cache_dir", None if cache is False else str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)

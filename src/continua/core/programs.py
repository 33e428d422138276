"""Compiled programs kept on disk: a later run neither traces nor lowers nor compiles them.

JAX's own cache saves the compilation alone; tracing a solve and its derivatives takes Python a second, every time.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import numpy as np

from continua.core.arrays import is_traced

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")
Given = jax.Array | np.ndarray | np.generic  # what comes from the host is handed to a compiled program as it is

PACKAGE = "continua"
BUILT_IN = re.compile(r"<class '(?:tuple|list|dict|NoneType)'>")
FOREIGN = re.compile(rf"<(?!class '{PACKAGE}\.)")  # in a repr: a function, an address, a class of someone else's
MOST_BYTES = 2**28  # on disk; beyond, those written longest ago go
PLAIN = (bool, int, float, str, tuple, type(None))
DEPENDENCIES = ("equinox", "jax", "jaxlib", "jaxtyping", "numpy")
UNUSABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.PickleError,
    zlib.error,
)


def kept(*static: int) -> Callable[[Callable[Inputs, Output]], Callable[Inputs, Output]]:
    """`equinox.filter_jit(function)` whose compiled programs are kept where JAX keeps its own.

    That is in the folder `jax_compilation_cache_dir`, which must be the user's own, since what is read from it is run.
    Without such a folder, on several devices, under another transformation, and where static arguments or the classes
    of PyTrees are not this package's own or plain ones, nothing is kept. A program is found again only by the same
    sources of this package, versions, settings of JAX, machine, static arguments, PyTrees and shapes.

    Args:
        static: the places of the static arguments; they need a `repr` that says all about them.
    """

    def decorate(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
        plain, filtered = jax.jit(function, static_argnums=static), eqx.filter_jit(function)
        name = f"{function.__module__}.{function.__qualname__}"
        programs: dict[Any, Callable[..., Output] | None] = {}

        @functools.wraps(function)
        def call(*args: Inputs.args, **named: Inputs.kwargs) -> Output:
            fixed = {place: args[place] for place in static}
            leaves, tree = jax.tree.flatten([arg for place, arg in enumerate(args) if place not in static])
            folder, shapes = _setting("jax_compilation_cache_dir"), _shapes(leaves)
            if shapes is None or named:
                return filtered(*args, **named)
            if folder is None:
                return plain(*args)
            key = (tuple(fixed.values()), tree, shapes, _setting("jax_enable_x64"))
            if key not in programs:
                own = name.startswith(f"{PACKAGE}.") and all(map(_is_ours, (*fixed.values(), *_nodes(tree))))
                known = own and len(jax.devices()) == 1
                file = Path(folder) / "programs" / _digest(name, (*key, _nodes(tree)))
                programs[key] = _program(file, _of_leaves(function, fixed, tree), leaves) if known else None
            program = programs[key]
            return plain(*args) if program is None else program(*leaves)

        return call

    return decorate


def _setting(name: str) -> Any:
    return getattr(jax.config, name)


def _of_leaves(function: Callable[..., Output], fixed: dict[int, Any], tree: Any) -> Callable[..., Output]:
    """The function of the leaves alone: PyTrees of classes do not come back from a file as the same."""

    def of_leaves(*leaves: Any) -> Output:
        args = jax.tree.unflatten(tree, leaves)
        for place in sorted(fixed):
            args.insert(place, fixed[place])
        return function(*args)

    return of_leaves


def _shapes(leaves: Sequence[Any]) -> tuple[Any, ...] | None:
    """What a program depends on besides its static arguments and trees; None where it cannot be kept."""
    found: list[Any] = []
    for leaf in leaves:
        if isinstance(leaf, np.ndarray | np.generic):
            found.append((leaf.shape, leaf.dtype))
        elif type(leaf) in (bool, int, float, complex):
            found.append(type(leaf))
        elif isinstance(leaf, jax.Array) and not is_traced(leaf):
            found.append((leaf.shape, leaf.dtype, leaf.weak_type))
        else:
            return None
    return tuple(found)


def _nodes(tree: Any) -> tuple[tuple[type, Any], ...]:
    """The class of every node of a tree and what it holds besides arrays."""
    data = tree.node_data()
    own = [] if data is None else [data]
    return (*own, *(node for child in tree.children() for node in _nodes(child)))


def _is_ours(value: Any) -> bool:
    """Whether its repr says all that matters: it holds plain values and classes whose source is known."""
    own = type(value) in PLAIN or type(value).__module__.startswith(f"{PACKAGE}.")
    return own and FOREIGN.search(BUILT_IN.sub("", repr(value))) is None


def _digest(name: str, key: tuple[Any, ...]) -> str:
    """One number for all that decides about a program."""
    # The platforms that were asked for do not matter: the one that it came to be is in the surroundings.
    decisive = {name: value for name, value in jax.config.values.items() if "cache" not in name}
    decisive.pop("jax_platforms", None)
    settings = sorted((name, repr(value)) for name, value in decisive.items())
    everything = (name, key, settings, os.environ.get("XLA_FLAGS"), _surroundings())
    return hashlib.sha256(repr(everything).encode()).hexdigest()


@functools.cache
def _surroundings() -> tuple[str, ...]:
    """The sources of this package with its tables of coefficients, versions, and the machine."""
    sources, root = hashlib.sha256(), Path(__file__).parents[1]
    for file in sorted(path for suffix in ("py", "json") for path in root.rglob(f"*.{suffix}")):
        sources.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    versions = (platform.python_version(), *map(metadata.version, DEPENDENCIES))
    device, processor = jax.devices()[0], platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line for line in lines if line.startswith(("flags", "Features"))), processor)
    machine = (platform.platform(), processor, device.platform, device.device_kind, device.client.platform_version)
    return sources.hexdigest(), *versions, *machine


def _program(file: Path, function: Callable[..., Any], leaves: Sequence[Any]) -> Callable[..., Any]:
    """What the file holds, if it runs, else a program compiled now and written to it."""
    from jax.experimental import serialize_executable

    with contextlib.suppress(*UNUSABLE):
        read = serialize_executable.deserialize_and_load(*pickle.loads(zlib.decompress(file.read_bytes())))
        jax.block_until_ready(read(*leaves))
        return read
    lowered = jax.jit(function).lower(*leaves)
    with _compiled_anew():
        compiled = lowered.compile()
    with contextlib.suppress(*UNUSABLE):
        _write(file, zlib.compress(pickle.dumps(serialize_executable.serialize(compiled)), 1))
    return compiled


@contextlib.contextmanager
def _compiled_anew() -> Iterator[None]:
    """Without JAX's own cache: what came out of it once lacks functions when it is written again (jaxlib 0.12)."""
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    before = _setting("jax_enable_compilation_cache")
    jax.config.update("jax_enable_compilation_cache", False)
    reset_cache()
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)
        reset_cache()


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all; what was written longest ago makes room."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as part:
        part.write(content)
    Path(part.name).replace(file)
    left = MOST_BYTES
    for old in sorted(file.parent.iterdir(), key=lambda other: other.stat().st_mtime, reverse=True):
        left -= old.stat().st_size
        if left < 0:
            old.unlink()

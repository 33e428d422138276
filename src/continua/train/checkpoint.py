"""A state of training as a safetensors file: read back bit for bit, or refused."""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
from safetensors.numpy import save

from continua.files import DataError, write_whole

FORMAT = "1"


def write_checkpoint(path: Path, tree: Any, facts: Mapping[str, Any]) -> None:
    """Write the arrays of a tree, and facts that JSON can hold, in place of what was there."""
    arrays = {name: _plain(leaf) for name, leaf in _named(tree).items()}
    words = {"format": FORMAT, "facts": json.dumps(facts), "sum": str(_sum(arrays))}
    write_whole(path, save(arrays, metadata=words))


def read_facts(path: Path) -> dict[str, Any]:
    """What was written beside the arrays."""
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as opened:
            words = opened.metadata() or {}
        if words["format"] != FORMAT:
            raise DataError(f"{path} is a checkpoint of format {words['format']}, not {FORMAT}. Use a new folder.")
        return json.loads(words["facts"])
    except (safetensors.SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _damaged(path, str(error)) from None


def read_checkpoint(path: Path, like: Any) -> Any:
    """The arrays of a checkpoint, in a tree like this one.

    Raises:
        DataError: the file is damaged, or holds arrays of other names, shapes or dtypes.
    """
    try:
        content = path.read_bytes()
        found = dict(safetensors.deserialize(content))
        with safetensors.safe_open(os.fspath(path), framework="numpy") as opened:
            told = int((opened.metadata() or {})["sum"])
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    wanted = {name: _plain(leaf) for name, leaf in _named(like).items()}
    _check_names(path, wanted, found)
    arrays = {}
    for name, leaf in wanted.items():
        if tuple(found[name]["shape"]) != leaf.shape or len(found[name]["data"]) != leaf.nbytes:
            raise DataError(
                f"{path} holds {name} with shape {tuple(found[name]['shape'])} ({found[name]['dtype']}), the model "
                f"trained here has {leaf.shape} ({leaf.dtype}). Use the model of that run, or a new folder."
            )
        arrays[name] = np.frombuffer(found[name]["data"], leaf.dtype).reshape(leaf.shape)
    if _sum(arrays) != told:
        raise _damaged(path, "its numbers do not add up to what was written")
    leaves = [_as_leaf(arrays[name], leaf) for name, leaf in _named(like).items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _named(tree: Any) -> dict[str, Any]:
    """The arrays of a tree by their place in it."""
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _plain(leaf: Any) -> np.ndarray:
    """An array on the host; a key as its words."""
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _as_leaf(array: np.ndarray, like: Any) -> jax.Array:
    if _is_key(like):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(like))
    return jnp.asarray(array)


def _sum(arrays: Mapping[str, np.ndarray]) -> int:
    """A checksum of names and bits."""
    total = 0
    for name in sorted(arrays):
        total = zlib.crc32(np.ascontiguousarray(arrays[name]).tobytes(), zlib.crc32(name.encode(), total))
    return total


def _check_names(path: Path, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    lacking, besides = [n for n in wanted if n not in found], [n for n in found if n not in wanted]
    if lacking or besides:
        told = f"lacks {lacking[0]}" if lacking else f"holds {besides[0]} besides"
        raise DataError(f"{path} is of another model or optimiser: it {told}. Use those of that run, or a new folder.")


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} is damaged: {' '.join(reason.split())[:100]}. Put a copy of it back, or move it away to start again."
    )

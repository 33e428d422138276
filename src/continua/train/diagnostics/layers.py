"""The layers of a model by name, and what happens in each."""

from typing import Any

import jax
import jax.numpy as jnp

from continua.core import Scalar
from continua.train.diagnostics.noise import squared


def by_layer(tree: Any) -> dict[str, list[jax.Array]]:
    """The arrays of each layer, by its place: "layers[0]" holds .layers[0].weight and .layers[0].bias."""
    layers: dict[str, list[jax.Array]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path[:-1] or path).lstrip(".") or "params"
        layers.setdefault(name, []).append(leaf)
    return layers


def layer_norms(tree: Any) -> dict[str, Scalar]:
    """The Euclidean length of all that a layer holds.

    Example:
        >>> from continua.models import MLP
        >>> norms = layer_norms(MLP((2, 3, 1), jax.random.key(0), initialisation="orthogonal"))
        >>> {name: round(float(norm), 3) for name, norm in norms.items()}
        {'layers[0]': 1.414, 'layers[1]': 1.0}
    """
    return {name: jnp.sqrt(squared(leaves)) for name, leaves in by_layer(tree).items()}


def update_ratios(updates: Any, params: Any) -> dict[str, Scalar]:
    r"""How far a step moves each layer, $|\Delta x| / |x|$; about 1e-3 where training goes well."""
    lengths = layer_norms(params)
    return {name: moved / lengths[name] for name, moved in layer_norms(updates).items()}

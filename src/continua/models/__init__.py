"""Networks that are equations: what is learned where no equation is known."""

from continua.models.mlp import MLP, Dense

__all__ = ["MLP", "Dense"]

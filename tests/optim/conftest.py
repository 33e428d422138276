"""What tests of optimisers share."""

import jax
import pytest


@pytest.fixture
def as_users(monkeypatch):
    """The promotion of types that users have: optax's own code needs it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield

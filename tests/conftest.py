"""Strict mode for every test: double precision, no silent promotion of ranks or dtypes."""

import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The data beside the project, where it is there."""
    folder = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no data folder: set CONTINUA_DATA to run this test")
    return folder

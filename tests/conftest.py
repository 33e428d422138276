"""Strict mode for every test: double precision, no silent promotion of ranks or dtypes."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

# Compiling is most of what the tests do, and looking for garbage some of the rest.
QUICK = (
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_parallel_codegen_split_count=1",
)
os.environ.setdefault("XLA_FLAGS", " ".join(QUICK))
gc.set_threshold(100_000, 20, 20)

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory) -> Path:
    """One folder of compiled programs for all processes of this run, and none of the user's."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    os.environ["XDG_CACHE_HOME"] = str(cache)
    jax.config.update("jax_compilation_cache_dir", str(cache / "continua"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return cache


MAPS = Path("/proc/self/maps")
MOST_MAPS = 30_000  # Linux allows a process 65,530 by default


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """Compiled programs are let go before there are too many: each maps memory, and beyond the limit XLA crashes."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The data beside the project, where it is there."""
    folder = Path(os.environ.get("CONTINUA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no data folder: set CONTINUA_DATA to run this test")
    return folder

"""Programs on disk: found again for the same question only, and never worse than `jax.jit`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from continua.core import kept, programs


class Traced:
    """A function that counts how often it is traced; each `new` stands for another run."""

    def __init__(self):
        self.count = 0

    def new(self, module="continua.tested"):
        def power(exponent, x):
            self.count += 1
            return {"power": jnp.sin(x) ** exponent}

        power.__module__ = module
        return kept(0)(power)


@pytest.fixture
def folder(tmp_path):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    yield tmp_path / "programs"
    jax.config.update("jax_compilation_cache_dir", before)
    reset_cache()


X = np.linspace(0.0, 1.0, 5, dtype=np.float32)


def value(program, exponent=2, x=X):
    return np.asarray(program(exponent, x)["power"])


def test_a_later_run_does_not_trace(folder):
    traced = Traced()
    first, later = value(traced.new()), value(traced.new())
    assert traced.count == 1
    np.testing.assert_array_equal(first, later)
    np.testing.assert_allclose(first, np.sin(X) ** 2, rtol=1e-6)
    assert len(list(folder.iterdir())) == 1


def test_another_question_is_another_program(folder):
    traced = Traced()
    program = traced.new()
    for exponent, x in ((2, X), (3, X), (2, X[:3]), (2, X.astype(np.int32))):
        np.testing.assert_allclose(value(program, exponent, x), np.sin(x.astype(np.float32)) ** exponent, rtol=1e-6)
    assert traced.count == 4
    assert len(list(folder.iterdir())) == 4


def test_what_cannot_be_read_is_made_anew(folder):
    traced = Traced()
    first = value(traced.new())
    (file,) = folder.iterdir()
    for content in (b"", b"no program", file.read_bytes()[:100]):
        file.write_bytes(content)
        np.testing.assert_array_equal(value(traced.new()), first)
    assert traced.count == 4
    value(traced.new())
    assert traced.count == 4


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traced = Traced()
    assert jax.config.jax_compilation_cache_dir is None
    np.testing.assert_allclose(value(traced.new()), np.sin(X) ** 2, rtol=1e-6)
    assert not list(tmp_path.iterdir())


def test_functions_and_arguments_of_unknown_source_are_not_kept(folder):
    value(Traced().new(module="elsewhere"))

    class Exponent(int):
        pass

    value(Traced().new(), Exponent(2))
    assert not folder.exists()


def test_transformations_see_through_it(folder):
    program = Traced().new()
    np.testing.assert_allclose(jax.jit(lambda x: program(2, x)["power"])(X), np.sin(X) ** 2, rtol=1e-6)
    slope = jax.vmap(jax.grad(lambda x: program(2, x)["power"]))(jnp.asarray(X))
    np.testing.assert_allclose(slope, np.sin(2 * X), atol=1e-6)
    assert not folder.exists()


def test_the_oldest_make_room(folder, monkeypatch):
    program = Traced().new()
    value(program)
    (first,) = folder.iterdir()
    monkeypatch.setattr(programs, "MOST_BYTES", int(1.5 * first.stat().st_size))
    value(program, 3)
    (left,) = folder.iterdir()
    assert left != first

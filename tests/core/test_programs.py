"""Programs on disk: found again for the same question only, and never worse than `jax.jit`."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache.compilation_cache import reset_cache

from continua.core import kept, programs


class Wave(eqx.Module):
    """A PyTree with a static part."""

    rate: jax.Array
    shift: float = eqx.field(static=True, default=0.0)


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


def test_without_a_folder_nothing_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jax.config.update("jax_compilation_cache_dir", None)
    traced = Traced()
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


def test_trees_of_our_own_classes_are_kept_and_told_apart(folder, monkeypatch):
    traced = Traced()

    def run(wave):
        def program(wave, x, count):
            traced.count += 1
            return count * jnp.sin(wave.rate * x + wave.shift)

        program.__module__ = "continua.tested"
        return np.asarray(kept(2)(program)(wave, X, 3))

    rate = jnp.float32(2.0)
    np.testing.assert_allclose(run(Wave(rate)), 3 * np.sin(2 * X), rtol=1e-6)
    assert not folder.exists()  # a class from elsewhere: its source is unknown
    monkeypatch.setattr(Wave, "__module__", "continua.tested")
    for wave in (Wave(rate), Wave(rate), Wave(rate, 1.0), Wave(jnp.float32(3.0), 1.0)):
        np.testing.assert_allclose(run(wave), 3 * np.sin(wave.rate * X + wave.shift), rtol=1e-5)
    assert traced.count == 3
    assert len(list(folder.iterdir())) == 2


def test_leaves_that_are_no_numbers_decide_which_program_it_is(folder):
    def program(function, x):
        return function(x)

    program.__module__ = "continua.tested"
    both = kept()(program)
    np.testing.assert_allclose(both(jnp.sin, X), np.sin(X), rtol=1e-6)
    np.testing.assert_allclose(both(jnp.cos, X), np.cos(X), rtol=1e-6)
    assert not folder.exists()

"""TOML files of equations: what they say, and one line for everything that is wrong with them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from continua.core import ArgumentError
from continua.equations import LotkaVolterra, WrittenParameter, parse, read_equation
from continua.files import DataError

CROWDED = """
title = "crowded prey"
inputs = ["harvest"]
[equations]
hare = "a*hare*(1 - hare/K) - b*hare*lynx - harvest"
lynx = "d*hare*lynx - g*lynx"
[parameters]
a = { start = 0.5, unit = "1/year", positive = true }
K = { start = 100.0 }
b = { value = 0.02 }        # kept fixed
d = 0.025
g = {}
"""


@pytest.mark.core
def test_what_a_file_says():
    system = read_equation(CROWDED)
    assert system.title == "crowded prey"
    assert system.states == ("hare", "lynx")
    assert system.inputs == ("harvest",)
    assert system.parameters == (
        WrittenParameter("a", 0.5, "1/year", positive=True, free=False),
        WrittenParameter("K", 100.0, free=False),
        WrittenParameter("b", 0.02, fixed=True, free=False),
        WrittenParameter("d", 0.025, free=False),
        WrittenParameter("g"),
    )
    kinds = dict.fromkeys("abdgK", "parameter") | dict.fromkeys(["hare", "lynx"], "state")
    assert system.sides[1] == parse("d*hare*lynx - g*lynx", kinds)


@pytest.mark.core
def test_a_file_is_the_equation_of_its_text(tmp_path):
    file = tmp_path / "crowded.toml"
    file.write_text(CROWDED.replace("\n", "\r\n"), encoding="utf-8-sig")
    for source in (file, str(file)):
        assert read_equation(source) == read_equation(CROWDED)
    equation = read_equation(file).equation({"g": 0.8})
    assert set(equation.parameters) == {"a", "K", "d", "g"}
    assert len(jax.tree.leaves(equation)) == 4
    assert equation.free == ()
    slope = equation(jnp.array(0.0), jnp.array([30.0, 4.0]), {"harvest": 1.0})
    np.testing.assert_allclose(slope, [0.5 * 30 * 0.7 - 0.02 * 120 - 1.0, 0.025 * 120 - 3.2], rtol=1e-14)
    with pytest.raises(ArgumentError, match="`b`"):
        read_equation(file).equation({"b": 1.0})


def test_without_parameters_every_other_name_is_free():
    system = read_equation('[equations]\nx = "alpha*x - beta*x*y + 0*t"\ny = "delta*x*y - gamma*y"')
    assert [p.name for p in system.parameters] == ["alpha", "beta", "delta", "gamma"]
    assert all(p.free and p.start == 1.0 for p in system.parameters)
    named = LotkaVolterra(1.0, 1.0, 1.0, 1.0)
    y = jnp.array([2.0, 3.0])
    np.testing.assert_allclose(system.equation()(jnp.array(0.0), y, None), named(jnp.array(0.0), y, None))


def file_of(parameters="k = 1.0", equations='x = "-k*x"', top=""):
    return f"{top}\n[equations]\n{equations}\n[parameters]\n{parameters}\n"


@pytest.mark.core
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("\n", "Got none"),
        ("[equations]\n", "Got none"),
        ("x = \n", "no TOML"),
        (file_of(top='titel = "a"'), "Did you mean `title`?"),
        (file_of(top="title = 3"), "`title` must be text in quotes. Got an integer"),
        (file_of(top=f'title = "{"a" * 300}"'), "200 characters"),
        (file_of(top='inputs = "u"'), "list of names"),
        (file_of(top='inputs = ["x"]'), "`x` twice"),
        (file_of(top='inputs = ["a b"]'), "one word"),
        ("equations = 3\n", "`equations` must be a table"),
        (file_of(equations="x = 3"), "`equations.x` must be text"),
        (file_of(equations='"x y" = "1"'), "one word"),
        (file_of(equations='x = "-k*x*"'), "`equations.x`, `-k*x*`: expected a number, a name or `(` at column 6"),
        (file_of(equations='x = "-k*y"'), "unknown name `y` at column 4"),
        (file_of(equations='x = "-k*x"\nx = "1"'), "no TOML"),
        (file_of(equations='x = """\n__import__(\'os\')"""'), "not part of the grammar"),
        (file_of("K = 1.0"), "Did you mean `K`?"),
        (file_of("k = 1.0\nc = 1.0"), "`c`, which does not"),
        (file_of("k = {strat = 1.0}"), "Did you mean `start`?"),
        (file_of("k = {start = 1.0, value = 1.0}"), "Got both"),
        (file_of("k = {start = nan}"), "finite"),
        (file_of("k = {value = -inf}"), "finite"),
        (file_of("k = 1" + "0" * 400), "finite"),
        (file_of("k = 1" + "0" * 9000), "no TOML"),
        (file_of("k = true"), "`parameters.k.start` must be a number. Got a boolean"),
        (file_of('k = "1"'), "Got a string"),
        (file_of("k = 1979-05-27"), "Got a date or time"),
        (file_of("k = [1.0]"), "Got an array"),
        (file_of("k = {positive = 1}"), "true or false"),
        (file_of("k = {start = -1.0, positive = true}"), "must be positive"),
        (file_of("k = {unit = 1}"), "must be text"),
        (file_of("k.start.deep = 1"), "Got a table"),
        (file_of("k = " + "[" * 5000), "nested too deeply"),
        (file_of("k.a = 1"), "no field `a`"),
        (file_of("k" + ".a" * 20_000 + " = 1"), "too many dots"),
        (file_of("k" + "." + "*" * 20_000 + " = 1"), "no TOML"),
        (file_of("k = {" + '"*".' * 10_000 + "a = 1}"), "too many dots"),
        (file_of("\n".join(f"k{i} = 1" for i in range(600))), "500"),
        ("x" * 99_999 + "\n" * 2, "larger than"),
        (file_of(equations='x = "' + "(" * 4_000 + '"'), "nested deeper"),
        (file_of(equations='x = "a\\u202Eb"'), "U+202E"),
    ],
)
def test_refusals_are_one_line(source, words):
    with pytest.raises(DataError) as caught:
        read_equation(source)
    message = str(caught.value)
    assert message.startswith("the text: ")
    assert words in message
    assert message.isprintable()
    assert len(message) < 400


def test_files_that_cannot_be_read(tmp_path):
    binary, large = tmp_path / "binary.toml", tmp_path / "large.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    large.write_bytes(b"#" * 10**6)
    cases = [
        (tmp_path / "none.toml", "none.toml: There is no such file"),
        (tmp_path, "regular file"),
        ("/dev/null", "regular file"),
        (binary, "UTF-8"),
        (large, "larger than"),
        ("a\0b", "No file can have such a name"),
        ("x" * 10**5, "cannot be read"),
        ("~nobody-of-that-name/x.toml", "cannot be read"),
        ("", "regular file"),
    ]
    for source, words in cases:
        with pytest.raises(DataError) as caught:
            read_equation(source)
        assert words in str(caught.value)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


def refusal(source):
    try:
        read_equation(source)
    except DataError as error:
        return str(error)
    return None


@settings(max_examples=100, deadline=None)
@given(
    source=st.text(max_size=80).map(lambda s: s + "\n")
    | st.tuples(st.integers(0, len(CROWDED) - 1), st.text(max_size=4), st.integers(0, 9)).map(
        lambda cut: CROWDED[: cut[0]] + cut[1] + CROWDED[cut[0] + cut[2] :] + "\n"
    )
)
@example("\r\0")
@example("[equations]\nx = '\ud800'")
def test_any_text_is_read_or_refused_in_one_line(source):
    message = refusal(source)
    assert message is None or (message.isprintable() and len(message) < 600)

"""Models on disk: written whole or not at all, and the same when they come back."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import continua
from continua.core import ArgumentError, ContinuaError
from continua.discovery.named_families import _closed, families
from continua.files import DataError


@pytest.fixture(scope="module")
def saved(hares, tmp_path_factory):
    return hares.save(tmp_path_factory.mktemp("models") / "hares")


def same(a, b):
    """Equal, arrays and NaN included."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b or (a != a and b != b)


def test_it_comes_back_the_same(hares, saved):
    assert sorted(file.name for file in saved.iterdir()) == ["figures", "forecast.csv", "model.json", "report.html"]
    assert len(list((saved / "figures").iterdir())) == 6
    for path in (saved, str(saved), saved / "model.json"):
        back = continua.load(path)
        assert same(hares, back)
        assert back.parameters == hares.parameters
        assert back.intervals == hares.intervals
        assert same(back.forecast(3), hares.forecast(3))


def test_gaps_and_failures_come_back(hares, tmp_path, monkeypatch):
    monkeypatch.setattr("continua.discovery.report.report", lambda *parts: "")
    values = hares.values.copy()
    values[2, 0] = np.nan
    lost = dataclasses.replace(hares.rivals[-1], aicc=np.inf, behind=np.inf)
    model = dataclasses.replace(hares, values=values, rivals=(*hares.rivals[:-1], lost), notes=("Größe <&>",))
    assert same(model, continua.load(model.save(tmp_path / "m")))


def test_the_forecast_beside_it_is_the_models(hares, saved):
    assert (saved / "forecast.csv").read_text() == hares.forecast(5).csv("Year")


def test_nothing_is_left_when_the_report_fails(hares, tmp_path, monkeypatch):
    def fail(*parts):
        raise RuntimeError("no figure")

    monkeypatch.setattr("continua.discovery.report.report", fail)
    with pytest.raises(RuntimeError, match="no figure"):
        hares.save(tmp_path / "a" / "m")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_fit_is_replaced_only_by_force(hares, tmp_path, monkeypatch):
    monkeypatch.setattr("continua.discovery.report.report", lambda *parts: "new")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.json").write_text("{}")
    with pytest.raises(DataError, match="exists"):
        hares.save(tmp_path / "m")
    assert (tmp_path / "m" / "model.json").read_text() == "{}"
    hares.save(tmp_path / "m", force=True)
    assert continua.load(tmp_path / "m").law == hares.law


def broken(**changes):
    """What a saved model becomes by changing entries; None takes one out."""
    return lambda read: {k: v for k, v in {**read, **changes}.items() if v is not None}


@pytest.mark.parametrize(
    "change",
    [
        broken(format=99),
        broken(format=None),
        broken(law="no such law"),
        broken(noise="no such noise"),
        broken(time=None),
        broken(belief=[1, 2]),
        broken(belief={"u": [1.0]}),
        broken(values="text"),
        broken(values=[[1.0]]),
        broken(rivals=3),
        broken(skills=[{"horizon": 1}]),
        broken(states=["Hare"]),
        broken(states=7),
        broken(findings=[1]),
        broken(written={"title": "x"}),
        lambda read: [],
        lambda read: None,
        lambda read: "model",
    ],
)
def test_a_broken_model_is_one_line(saved, tmp_path, change):
    read = json.loads((saved / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(change(read)))
    assert "path" in one_line(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"nonsense"])
def test_nonsense_is_one_line(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    assert "Fit again" in one_line(tmp_path)


@pytest.mark.parametrize("path", ["nowhere", "a\0b", ""])
def test_a_missing_model_is_one_line(tmp_path, path):
    assert "path" in one_line(str(tmp_path / path) if path else "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def places(tree, path=()):
    """Every place in JSON, and in lists the first few only."""
    yield path
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from places(value, (*path, key))
    elif isinstance(tree, list):
        for number, value in enumerate(tree[:3]):
            yield from places(value, (*path, number))


@SLOW
@given(data=st.data())
def test_whatever_is_changed_in_a_model_file_it_loads_or_is_refused_in_one_line(saved, tmp_path, data):
    read = json.loads((saved / "model.json").read_text())
    place = data.draw(st.sampled_from(list(places(read))))
    value, inside = data.draw(ANYTHING), read
    for step in place[:-1]:
        inside = inside[step]
    if place:
        inside[place[-1]] = value
    (tmp_path / "model.json").write_text(json.dumps(read if place else value))
    loads_or_is_refused(tmp_path)


@SLOW
@given(cut=st.floats(0, 1), put=st.binary(max_size=4))
def test_a_truncated_or_overwritten_model_file_is_refused_in_one_line(saved, tmp_path, cut, put):
    content = (saved / "model.json").read_bytes()
    end = int(cut * len(content))
    (tmp_path / "model.json").write_bytes(content[:end] + put)
    loads_or_is_refused(tmp_path)


def loads_or_is_refused(path):
    try:
        said = str(continua.load(path).equation)
    except ContinuaError as refused:
        said = str(refused).replace("\n", "two lines")
    assert "two lines" not in said


def one_line(path):
    with pytest.raises(ContinuaError) as caught:
        continua.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_families_do_not_depend_on_the_precision_of_the_moment():
    """A model is read back in a process that never heard of float64."""
    wanted = families(2)
    _closed.cache_clear()
    with jax.enable_x64(False):
        assert families(2) == wanted


def test_it_simulates_and_says_its_law(hares):
    np.testing.assert_allclose(hares.simulate(hares.time), hares.fitted, rtol=1e-5)
    np.testing.assert_allclose(hares.simulate([0.0, 1.0], hares.fitted[3])[1], hares.fitted[4], rtol=1e-5)
    assert hares.equation.splitlines()[0].startswith("d Hare/dt")
    assert hares.plot().axes
    with pytest.raises(ArgumentError, match="`y0` of `simulate`"):
        hares.simulate([0.0, 1.0], [1.0])

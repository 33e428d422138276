"""Whatever is given to `read_table`: a table that keeps its promises, or one line that says why not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.files import DataError, Table, read_table


def table_or_data_error(source, **arguments):
    try:
        table = read_table(source, **arguments)
    except DataError as error:
        message = str(error)
    else:
        keeps_its_promises(table)
        return
    assert message.isprintable()  # and so on one line


def keeps_its_promises(table: Table):
    rows = table.time.size
    assert rows >= 4
    assert table.values.shape == (rows, len(table.states))
    assert table.input_values.shape == (rows, len(table.inputs))
    assert np.isfinite(table.input_values).all()
    assert not np.isinf(table.values).any()
    assert len(set(table.states) | set(table.inputs) | {table.time_name}) == len(table.states) + len(table.inputs) + 1
    for piece in table.pieces:
        assert np.all(table.time[piece][1:] > table.time[piece][:-1])
    if table.trajectory is not None:
        assert all(piece.stop - piece.start > 1 for piece in table.pieces)
        assert [len(table.pieces), len(set(table.trajectory_names))] == [len(table.trajectory_names)] * 2
    assert all(note.isprintable() for note in table.notes)
    assert set(table.units) <= {*table.states, *table.inputs, table.time_name}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


HEADER = st.lists(
    st.sampled_from(
        ["t", "time", "date", "Month", "year", "month", "day", "run", "x", "u [V]", "T [K]", "x (m)", "", "µ"]
    ),
    min_size=2,
    max_size=5,
)
CELL = st.one_of(
    st.sampled_from(["", "NA", "1e308", "-1e308", "5e-324", "inf", "nan", "x", '"', "#", "1,5", "t", "\u2028", "−1"]),
    st.sampled_from(
        ["2020-01", "2020-01-02", "02.01.2020", "13/01/2020", "01/13/2020", "195801", "19580102", "2020Q1"]
    ),
    st.sampled_from(["9999-12-31T23:59:59-05:00", "0001-01-01T00:00+05:00", "2020-01-01T00:00Z", "0000-00-00", "1_0"]),
    st.integers(0, 5).map(str),
    st.text(max_size=3),
)
NAMES = st.sampled_from(["t", "run", "x", "u", "u [V]", "date", "row", "absent", "month"])
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "time": NAMES,
        "states": st.lists(NAMES, max_size=2),
        "inputs": st.lists(NAMES, max_size=2),
        "trajectory": NAMES,
    },
)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp437", "utf-7"]


@settings(max_examples=400, deadline=None)
@given(
    header=HEADER,
    rows=st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=3, max_size=10),
    delimiter=st.sampled_from(",;\t "),
    encoding=st.sampled_from(ENCODINGS),
    arguments=ARGUMENTS,
)
def test_any_ragged_text_in_any_encoding(folder, header, rows, delimiter, encoding, arguments):
    text = "\n".join(delimiter.join(row) for row in [header, *rows])
    (folder / "data.csv").write_bytes(text.encode(encoding, "replace"))
    table_or_data_error(folder / "data.csv", **arguments)


FEW = st.one_of(
    st.none(), st.integers(0, 4), st.floats(allow_infinity=False), st.sampled_from(["1", "x", "", "2020-01-01"])
)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), rows=st.integers(4, 12), arguments=ARGUMENTS)
def test_any_columns(data, rows, arguments):
    times = st.lists(st.integers(0, 12), min_size=rows, max_size=rows)
    cells = st.lists(st.one_of(st.integers(0, 2), FEW), min_size=rows, max_size=rows)
    numbers = st.lists(st.floats(allow_infinity=False), min_size=rows, max_size=rows)
    columns = {"t": data.draw(times), "run": data.draw(cells), "x": data.draw(numbers), "u [V]": data.draw(numbers)}
    table_or_data_error(columns, **arguments)


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    named=st.booleans(),
)
def test_shuffled_trajectories_come_back_whole(sizes, seed, named):
    random = np.random.default_rng(seed)
    runs = np.repeat(np.arange(len(sizes)), sizes)
    times = np.concatenate([np.cumsum(random.uniform(0.1, 1.0, size)) for size in sizes])
    order = random.permutation(runs.size)
    labels = [f"run {k}" for k in runs] if named else runs
    columns = {"run": np.asarray(labels)[order], "t": times[order], "x": (times + 100 * runs)[order]}
    whole = [k for k, size in enumerate(sizes) if size > 1]
    if sum(sizes) < 4 or sum(sizes[k] for k in whole) < 4:
        with pytest.raises(DataError):
            read_table(columns, "t", "x", trajectory="run")
        return
    table = read_table(columns, "t", "x", trajectory="run")
    keeps_its_promises(table)
    found = sorted((table.time[piece].tolist(), table.values[piece, 0].tolist()) for piece in table.pieces)
    assert found == sorted((times[runs == k].tolist(), (times + 100 * runs)[runs == k].tolist()) for k in whole)


@settings(max_examples=100, deadline=None)
@given(contents=st.lists(st.text(alphabet="t,x01.\n#a", max_size=40), min_size=1, max_size=3))
def test_any_files_of_a_pattern(folder, contents):
    for path in folder.glob("part*.csv"):
        path.unlink()
    for number, content in enumerate(contents):
        (folder / f"part{number}.csv").write_text("t,x\n" + content)
    table_or_data_error(f"{folder}/part*.csv")

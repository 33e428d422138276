"""Tables: what is read, what is assumed aloud, and what each fault says."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.files import DataError, Table, read_table

HARES = "Year, Lynx, Hare\n1900, 4.0, 30.0\n1901, 6.1, 47.2\n1902, 9.8, 70.2\n1903, 35.2, 77.4\n"


def file_of(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_text(folder: Path, content: str | bytes, **arguments) -> Table:
    return read_table(file_of(folder, content), **arguments)


def message_of(folder: Path, content: str | bytes, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        read_text(folder, content, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- what is read


def test_comments_blanks_in_the_header_and_the_year(tmp_path):
    table = read_text(tmp_path, "# a comment\n" + HARES)
    assert table.states == ("Lynx", "Hare")
    assert (table.time_name, table.calendar, table.source, table.notes) == ("Year", "year", "data.csv", ())
    np.testing.assert_array_equal(table.time, [1900, 1901, 1902, 1903])
    np.testing.assert_array_equal(table.values, [[4, 30], [6.1, 47.2], [9.8, 70.2], [35.2, 77.4]])
    assert not table.values.flags.writeable


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "   "])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings(tmp_path, delimiter, ending):
    lines = [delimiter.join(cells) for cells in (("t", "x"), ("0", "1"), ("1", "2.5"), ("2", "-1e-3"), ("3", "4"))]
    table = read_text(tmp_path, ending.join(lines))
    np.testing.assert_array_equal(table.values[:, 0], [1, 2.5, -1e-3, 4])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    text = '"t","Größe"\n0,1\n1,2\n2,\N{MINUS SIGN}3\n3,4\n'
    table = read_text(tmp_path, text.encode(encoding))
    assert table.states == ("Größe",)
    assert table.values[2, 0] == -3


def test_gaps_are_nan_and_rows_without_any_state_go_aloud(tmp_path):
    gaps = ["", "NA", "n/a", "NaN", "null", "-"]
    rows = "".join(f"{k},{gap},{k * k}\n" for k, gap in enumerate(gaps))
    table = read_text(tmp_path, "t,x,y\n" + rows + "6,1,2\n7,2,2\n8,,\n,3,3\n")
    assert np.isnan(table.values[:6, 0]).all()
    np.testing.assert_array_equal(table.time, np.arange(8))
    assert table.notes == (
        "1 row without a time was dropped (first: line 11).",
        "1 row in which every state is a gap was dropped (first: line 10).",
    )


def test_decimal_commas_are_read_aloud(tmp_path):
    table = read_text(tmp_path, "t;x\n0;0,5\n1;1,5\n2;2\n3;-1,25e1\n")
    np.testing.assert_array_equal(table.values[:, 0], [0.5, 1.5, 2, -12.5])
    assert table.notes == ("Commas inside numbers were read as decimal points.",)


def test_numbers_without_a_header(tmp_path):
    named = read_text(tmp_path, "# made by hand\n# t,x\n0,5\n1,3\n2,4\n3,6\n")
    assert (named.time_name, named.states, named.time.size) == ("t", ("x",), 4)
    unnamed = read_text(tmp_path, "0,5\n1,3\n2,4\n3,6\n")
    assert (unnamed.time_name, unnamed.states, unnamed.time.size) == ("column 1", ("column 2",), 4)
    assert any("No header" in note for note in unnamed.notes)


def test_a_delimiter_at_the_end_of_each_line(tmp_path):
    table = read_text(tmp_path, '"V1","V2",\n1,2,\n3,1,\n2,5,\n4,4,\n')
    assert table.states == ("V1", "V2")
    assert table.time_name == "row"
    assert table.notes[0] == "An unnamed empty column was dropped."


def test_rows_are_sorted_aloud(tmp_path):
    table = read_text(tmp_path, "t,x\n3,30\n1,10\n2,20\n0,5\n")
    np.testing.assert_array_equal(table.values[:, 0], [5, 10, 20, 30])
    assert table.notes == ("The rows were sorted by `t`.",)


def test_constant_empty_and_text_columns_go_aloud(tmp_path):
    table = read_text(tmp_path, "t,x,c,e,sex\n0,1,7,,f\n1,2,7,,m\n2,3,,,m\n3,5,7,,f\n")
    assert table.states == ("x",)
    assert table.notes == (
        "Column `sex` was dropped: it holds text.",
        "Column `c` was dropped: it is constant.",
        "Column `e` was dropped: it is empty.",
    )


def test_states_are_read_in_the_order_asked_for(tmp_path):
    table = read_text(tmp_path, HARES, states=["Hare", "Lynx"])
    assert table.states == ("Hare", "Lynx")
    assert read_text(tmp_path, HARES, states="Hare").values.shape == (4, 1)


# ---- time


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("time", "time", None),
        ("T", "T", None),
        ("t [s]", "t", "second"),
        ("Time (days)", "Time", "day"),
        ("time (tau)", "time", None),
        ("time [µs]", "time", "microsecond"),
        ("time_ms", "time_ms", "millisecond"),
        ("Hours", "Hours", "hour"),
    ],
)
def test_time_is_known_by_its_name(tmp_path, header, name, unit):
    table = read_text(tmp_path, f"x,{header}\n5,0\n9,1\n7,2\n8,3\n")
    assert (table.time_name, table.calendar, table.states) == (name, unit, ("x",))


@pytest.mark.parametrize("header", ["T [K]", "min", "x [s]", "u(t)", "s"])
def test_what_only_looks_like_time_is_a_state(tmp_path, header):
    table = read_text(tmp_path, f"{header},y\n5,3\n1,2\n7,1\n6,2\n")
    assert table.time_name == "row"


def test_a_monotone_column_is_time_else_the_row_number(tmp_path):
    falling = read_text(tmp_path, "x,depth\n5,3\n1,2\n7,1\n6,0\n")
    assert falling.time_name == "depth"
    assert len(falling.notes) == 2
    rows = read_text(tmp_path, "x,y\n5,3\n1,4\n7,1\n6,0\n")
    assert (rows.time_name, rows.calendar) == ("row", None)
    assert "row number" in rows.notes[0]
    np.testing.assert_array_equal(rows.time, np.arange(4))


def test_the_row_number_can_be_asked_for(tmp_path):
    table = read_text(tmp_path, HARES, time="row")
    assert (table.time_name, table.notes) == ("row", ())
    assert table.states == ("Year", "Lynx", "Hare")


def test_row_numbers_count_the_rows_that_are_dropped(tmp_path):
    table = read_text(tmp_path, "x,y\n5,3\n,\n7,1\n6,0\n6,2\n")
    np.testing.assert_array_equal(table.time, [0, 2, 3, 4])


@pytest.mark.parametrize("form", ["{y}-{m:02}", "{y}{m:02}", "{y}-{m:02}-01", "{y}/{m}"])
def test_months_become_twelfths_of_a_year(tmp_path, form):
    rows = "".join(f"{form.format(y=1949 + k // 12, m=1 + k % 12)},{k % 5}\n" for k in range(36))
    table = read_text(tmp_path, "Month,n\n" + rows)
    assert table.calendar == "year"
    np.testing.assert_allclose(table.time, 1949 + np.arange(36) / 12, rtol=0, atol=1e-9)
    assert "twelfth" in table.notes[0]


@pytest.mark.parametrize(
    ("step", "unit", "expected"),
    [
        (dt.timedelta(days=300), "year", 300 / 365.25),
        (dt.timedelta(days=10), "day", 10.0),
        (dt.timedelta(hours=6), "hour", 6.0),
        (dt.timedelta(minutes=1), "minute", 1.0),
        (dt.timedelta(seconds=0.25), "second", 0.25),
    ],
)
def test_dates_become_numbers_in_a_unit_that_suits_their_span(tmp_path, step, unit, expected):
    start = dt.datetime(2016, 7, 1, 12)
    rows = "".join(f"{(start + k * step).isoformat(sep=' ')},{k * k}\n" for k in range(6))
    table = read_text(tmp_path, "date,x\n" + rows)
    assert table.calendar == unit
    np.testing.assert_allclose(np.diff(table.time), expected, rtol=1e-9)
    assert len(table.notes) == 1


def test_days_written_as_digits(tmp_path):
    table = read_text(tmp_path, "date,co2\n19580329,316\n19580405,317\n19580412,\n19680419,318\n19780419,319\n")
    assert table.calendar == "year"
    assert table.time[0] == pytest.approx(1958 + 87 / 365, abs=3e-3)


def test_zones_are_converted_aloud(tmp_path):
    rows = "".join(
        f"2020-01-01T0{k}:00:00{zone},{k * k}\n" for k, zone in enumerate(["Z", "+00:00", "Z", "+01:00", "Z"])
    )
    table = read_text(tmp_path, "time,x\n" + rows.replace("03:00:00+", "04:00:00+").replace("T04:00:00Z", "T05:00:00Z"))
    np.testing.assert_allclose(table.time, [0, 1, 2, 3, 5])
    assert "UTC" in table.notes[0]


# ---- tables in memory


def test_a_mapping_of_arrays():
    table = read_table({"t": [0, 1, 2, 3], "x": np.array([1, 2, 4, 8], np.int32), "b": [True, False, True, True]})
    assert table.states == ("x", "b")
    assert table.source == "table"
    assert table.values.dtype == np.float64


def test_dates_in_memory():
    days = np.datetime64("2020-01-01") + np.arange(5)
    table = read_table({"when": days, "x": np.arange(5.0) ** 2})
    assert (table.time_name, table.calendar) == ("when", "day")
    listed = read_table(
        {"date": [dt.date(2020, 1, 1 + k) for k in range(5)], "x": [1, 2, None, 4, 5], "y": [0, 1, 0, 1, 1]}
    )
    np.testing.assert_allclose(listed.time, np.arange(5))
    assert np.isnan(listed.values[2, 0])


class Frame:
    """What polars and pandas frames have in common; `index` is pandas'."""

    def __init__(self, columns, index=None):
        self.data, self.columns, self.index = columns, list(columns), index

    def __getitem__(self, name):
        return self.data[name]


class Index:
    name = None

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


def test_frames_are_told_by_their_looks():
    assert read_table(Frame({"t": [0, 1, 2, 3], "x": [1, 2, 3, 5]})).states == ("x",)
    indexed = read_table(Frame({"x": [1, 2, 3, 5]}, Index([0, 1, 2, 3])))
    assert indexed.time_name == "time"
    assert "index" in indexed.notes[0]


def test_a_polars_frame():
    polars = pytest.importorskip("polars")
    dates = [dt.date(2000 + k, 1, 1) for k in range(5)]
    table = read_table(polars.DataFrame({"date": dates, "x": [1, 2, 3, 4, 5], "s": list("abcde")}))
    np.testing.assert_array_equal(table.time, 2000 + np.arange(5))
    assert table.states == ("x",)


# ---- faults


FAULTS = [
    ("", {}, "is empty"),
    ("# only a comment\n\n", {}, "is empty"),
    ("t,x\n", {}, "only a header"),
    ("t,x\n0,1\n", {}, "only one row"),
    ("t,x\n0,1\n1,2\n2,3\n", {}, "3 usable rows"),
    (b"t,x\n\0\1\2", {}, "is binary"),
    (b"t,x\n0,1\n1,\xff\xfe\n", {}, "line 3 is not UTF-8"),
    (b"PK\x03\x04 a workbook", {}, "Export it as CSV"),
    ("t,x\n0,1\n1,two\n2,3\n3,4\n", {}, "line 3, column `x`: 'two' is not a number"),
    ("# note\n\nt,x\n0,1\n1," + "w" * 99 + "\n2,3\n", {}, "line 5, column `x`: '" + "w" * 40 + "…'"),
    ("t,x\n0,1\n1,inf\n2,3\n3,4\n", {}, "line 3, column `x`: the number is infinite"),
    ("t,x\n0,1\n1e999,1\n2,3\n3,4\n", {}, "line 3, column `t`: the number is infinite"),
    ("t,x,y\n0,1,1\n1,1,2\n2,1,3\n3,1,4\n", {"states": ["x"]}, "column `x` is constant"),
    ("t,x\n0,1\n1,1\n2,1\n3,1\n", {}, "no column of varying numbers"),
    ("t,x\n0,1\n1,2\n1,3\n3,4\n", {}, "line 3 and line 4 have the same time"),
    (HARES, {"time": "Yaer"}, "Did you mean `Year`?"),
    (HARES, {"states": ["hare"]}, "It has `Year`, `Lynx`, `Hare`. Did you mean `Hare`?"),
    (HARES, {"states": ["Hare", "Hare"]}, "Got `Hare` twice"),
    (HARES, {"states": ["Year"], "time": "Year"}, "Leave it out"),
    (HARES, {"states": []}, "at least one column"),
    ("t,x,x\n0,1,2\n", {}, "only one row"),
    ("t,x,x\n0,1,2\n1,2,3\n", {}, "more than one column named `x`"),
    ("t,x\n0,1\n1,2,3\n2,3\n3,4\n", {}, "line 3 has 3 cells, the header has 2"),
    ("t,x\n0,1\n1\n2,3\n3,4\n", {}, "line 3 has 1 cell, the header has 2"),
    ("t,x,w\n0,1,mon\n1,2,tue\n2,3,wed\n3,4,thu\n", {"time": "w"}, "'mon' is neither a number nor a date"),
    ("t,x,w\n0,1,a\n1,2,b\n2,3,c\n3,4,d\n", {"states": ["w"]}, "line 2, column `w`: 'a' is not a number"),
    (
        "date,x\n2020-01-01,1\n2020-13-01,2\n2020-02-01,3\n2020-03-01,4\n",
        {},
        "line 3, time column `date`: '2020-13-01'",
    ),
    ("t,x\n,1\n,2\n,3\n,4\n", {}, "0 usable rows"),
    ('t,x\n0,"1\n1,2\n', {}, "Check the quotes"),
]


@pytest.mark.parametrize(("content", "arguments", "expected"), FAULTS)
def test_a_fault_says_what_where_and_how_to_mend_it(tmp_path, content, arguments, expected):
    assert expected in message_of(tmp_path, content, **arguments)


def test_a_missing_file_names_its_neighbours(tmp_path):
    file_of(tmp_path, HARES, "hudson-bay.csv")
    with pytest.raises(DataError, match=r"Did you mean 'hudson-bay\.csv'\?"):
        read_table(tmp_path / "hudson_bay.csv")
    with pytest.raises(DataError, match="its folder does not exist"):
        read_table(tmp_path / "nowhere" / "x.csv")


@pytest.mark.parametrize("path", ["", "/dev/zero", "a\0b", "~nobody-at-all/x.csv", "x" * 5000])
def test_paths_that_are_no_file(path):
    with pytest.raises(DataError):
        read_table(path)


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(DataError, match="Got the folder"):
        read_table(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    path = file_of(tmp_path, HARES)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="permission"):
        read_table(path)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (5, "a path, a mapping or a data frame"),
        ({}, "must have columns"),
        ({"t": [0, 1], "x": [1]}, "columns of one length"),
        ({"t": [[0, 1], [2, 3]]}, "must be 1-D"),
        ({"t": 3.0}, "must be 1-D"),
        ({"t": np.arange(4), "x": np.arange(4) * 1j}, "real numbers or dates"),
        ({"t": [], "x": []}, "0 usable rows"),
        ({"t": np.arange(4), "x": [1, 2, np.inf, 3]}, "row 2, column `x`: the number is infinite"),
        ({"t": np.full(4, np.datetime64("NaT", "s")), "x": np.arange(4)}, "0 usable rows"),
        ({"t": np.arange(4), "x": [10**5000, 1, 2, 3]}, "too large"),
    ],
)
def test_faults_of_tables_in_memory(source, expected):
    with pytest.raises(DataError, match=expected):
        read_table(source)


# ---- anything else


def table_or_data_error(path, **arguments):
    """Reads; whatever is accepted keeps the promises of `Table`."""
    try:
        table = read_table(path, **arguments)
    except DataError as error:
        message = str(error)
    else:
        keeps_its_promises(table)
        return
    assert message.isprintable()  # and so on one line


def keeps_its_promises(table):
    assert table.time.size >= 4
    assert np.all(table.time[1:] > table.time[:-1])
    assert table.values.shape == (table.time.size, len(table.states))
    assert not np.isinf(table.values).any()
    assert not np.isnan(table.values).all(axis=1).any()
    assert all(note.isprintable() for note in table.notes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes(folder, content):
    table_or_data_error(file_of(folder, content))


CELL = st.sampled_from(
    [
        "0",
        "1",
        "2.5",
        "-3",
        "1e308",
        "-1e308",
        "5e-324",
        "inf",
        "nan",
        "",
        "NA",
        "x",
        '"',
        "#",
        "2020-01",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00+05:00",
        "\u2028",
        "1_0",
        "1,5",
        "t",
        "date",
        "195801",
    ]
)


@settings(max_examples=500, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=3, max_size=8), delimiter=st.sampled_from(",;\t ")
)
def test_any_cells(folder, rows, delimiter):
    table_or_data_error(file_of(folder, "\n".join(delimiter.join(row) for row in rows)))


@settings(max_examples=300, deadline=None)
@given(
    columns=st.dictionaries(
        st.text(max_size=4),
        st.lists(
            st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.datetimes()),
            min_size=4,
            max_size=4,
        ),
        max_size=4,
    )
)
def test_any_mapping(columns):
    table_or_data_error(columns)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=4, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_what_was_written_is_read(folder, values, delimiter):
    rows = "".join(f"{k}{delimiter}{value!r}{delimiter}{k % 2}\n" for k, value in enumerate(values))
    table = read_table(file_of(folder, f"t{delimiter}x{delimiter}y\n" + rows))
    if "x" in table.states:
        np.testing.assert_array_equal(table.values[:, table.states.index("x")], values)

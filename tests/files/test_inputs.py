"""Exogenous inputs, and the units in headers."""

import numpy as np
import pytest

from continua.files import DataError, Table, read_table

T = np.arange(10.0)
X = T**2
U = 2 * T + 1


def with_gaps(*rows):
    values = U.copy()
    values[list(rows)] = np.nan
    return values


def test_inputs_are_columns_that_are_no_states():
    table = read_table({"t": T, "u": U, "x": X, "v": -U}, inputs=["v", "u"])
    assert (table.states, table.inputs) == (("x",), ("v", "u"))
    np.testing.assert_array_equal(table.input_values, np.stack([-U, U], 1))
    assert not table.input_values.flags.writeable
    assert table.notes == ()


def test_nothing_is_an_input_by_itself():
    table = read_table({"t": T, "u": U, "input": -U, "x": X})
    assert table.states == ("u", "input", "x")
    assert (table.inputs, table.input_values.shape) == ((), (10, 0))


def test_tables_made_by_hand_need_no_inputs():
    table = Table(T, X[:, None], "t", ("x",), None, (), "table")
    assert (table.input_values.shape, table.trajectory, table.units) == ((10, 0), None, {})


def test_an_input_is_not_taken_for_the_time():
    table = read_table({"ramp": U, "x": X % 7, "y": X % 5}, inputs="ramp")
    assert table.time_name == "row"


def test_gaps_are_filled_along_lines_and_held_at_the_ends_aloud():
    table = read_table({"t": T, "u": with_gaps(0, 4, 5, 9), "x": X}, inputs="u")
    np.testing.assert_allclose(table.input_values[:, 0], [3, *U[1:9], 17])
    assert table.notes == ("4 gaps of input `u` were interpolated.",)


def test_gaps_are_filled_along_time_not_rows():
    times = np.array([0, 1, 2, 10.0])
    table = read_table({"t": times, "u": [0, 1, np.nan, 10], "x": [1, 2, 4, 3]}, inputs="u")
    np.testing.assert_allclose(table.input_values[:, 0], times)


def test_gaps_are_filled_within_each_trajectory():
    columns = {"run": [1, 1, 1, 2, 2, 2], "t": [0, 1, 2, 0, 1, 2], "x": [1, 2, 3, 5, 4, 6]}
    table = read_table({**columns, "u": [5, 5, np.nan, np.nan, 8, 8]}, inputs="u", trajectory="run")
    np.testing.assert_array_equal(table.input_values[:, 0], [5, 5, 5, 8, 8, 8])
    with pytest.raises(DataError, match="input `u` is missing in trajectory '2' altogether"):
        read_table({**columns, "u": [5, 5, 6, np.nan, np.nan, np.nan]}, inputs="u", trajectory="run")


def test_an_input_that_is_mostly_missing_is_refused():
    with pytest.raises(DataError, match=r"input `u` is missing in 60 % of the rows.*`inputs`"):
        read_table({"t": T, "u": with_gaps(*range(6)), "x": X}, inputs="u")
    with pytest.raises(DataError, match="100 %"):
        read_table({"t": T, "u": np.full(10, np.nan), "x": X}, inputs="u")


def test_rows_between_measurements_are_kept_for_their_inputs():
    x = X.copy()
    x[[0, 4, 5, 9]] = np.nan
    table = read_table({"t": T, "u": U, "x": x}, inputs="u")
    np.testing.assert_array_equal(table.time, T[1:9])
    np.testing.assert_array_equal(table.input_values[:, 0], U[1:9])
    assert table.notes == (
        "2 rows in which every state is a gap were kept for the inputs.",
        "2 rows in which every state is a gap were dropped (first: row 0).",
    )


def test_a_constant_input_is_read_aloud():
    table = read_table({"t": T, "u": np.ones(10), "x": X}, inputs="u")
    assert table.notes == ("Input `u` is constant.",)


@pytest.mark.parametrize(
    ("columns", "arguments", "expected"),
    [
        ({"u": ["a", *"123456789"]}, {"inputs": "u"}, "row 0, column `u`: 'a' is not a number.*`inputs`"),
        ({"u": [np.inf, *U[1:]]}, {"inputs": "u"}, "row 0, column `u`: the number is infinite"),
        ({"u": U}, {"inputs": "U"}, "Did you mean `u`"),
        ({"u": U}, {"inputs": ["u", "u"]}, "`inputs` of `read_table` must name each column once"),
        ({"u": U}, {"inputs": "u", "states": ["x", "u"]}, "`states` of `read_table` must not hold an input. Got `u`"),
        ({"u": U}, {"inputs": "t", "time": "t"}, "`inputs` of `read_table` must not hold the time column"),
    ],
)
def test_faults(columns, arguments, expected):
    with pytest.raises(DataError, match=expected):
        read_table({"t": T, "x": X, **columns}, **arguments)


# ---- units


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("speed [m/s]", "speed", "m/s"),
        ("speed (m/s)", "speed", "m/s"),
        ("temp_[K]", "temp", "K"),
        ("temp[K]", "temp", "K"),
        ("flow (m^3 (STP)/h)", "flow", "m^3 (STP)/h"),
        ("share [-]", "share", None),
        ("x(t)", "x(t)", None),
        ("x[0]", "x[0]", None),
        ("[m]", "[m]", None),
        ("[a]x[b]", "[a]x[b]", None),
        ("plain", "plain", None),
    ],
)
def test_units_stand_in_headers(header, name, unit):
    table = read_table({"t [s]": T, header: X})
    assert table.states == (name,)
    assert table.units == ({"t": "s", name: unit} if unit else {"t": "s"})
    for asked in (name, header):
        assert read_table({"t [s]": T, header: X, "y": U}, states=asked).states == (name,)


def test_units_are_said_aloud():
    notes = read_table({"t [s]": T, "v [m/s]": X, "u (V)": U}, inputs="u (V)").notes
    assert notes == ("Units from the headers: t in s, v in m/s, u in V.",)


def test_names_that_differ_only_in_their_unit_stay_whole():
    table = read_table({"t": T, "v [m/s]": X, "v [km/h]": 3.6 * X})
    assert table.states == ("v [m/s]", "v [km/h]")
    assert table.units == {"v [m/s]": "m/s", "v [km/h]": "km/h"}


def test_the_unit_of_time_is_known_from_the_header_the_name_or_the_dates():
    assert read_table({"time (tau)": T, "x": X}).units == {"time": "tau"}
    assert read_table({"time (tau)": T, "x": X}).calendar is None
    assert read_table({"Year": 1900 + T, "x": X}).units == {"Year": "year"}
    days = np.datetime64("2020-01-01") + np.arange(10)
    assert read_table({"date (UTC)": days, "x": X}).units == {"date": "day"}

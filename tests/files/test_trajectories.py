"""Several trajectories in one table, and the columns that tell them apart."""

import numpy as np
import pytest

from continua.files import DataError, read_table

RUNS = {
    "run": ["b", "b", "b", "a", "a", "a", "a"],
    "t": [0.0, 1.0, 2.0, 0.0, 0.5, 1.0, 4.0],
    "x": [1.0, 2.0, 4.0, 5.0, 3.0, 2.0, 1.0],
}


def keeps_its_promises(table):
    assert table.trajectory.dtype == np.intp
    assert not table.trajectory.flags.writeable
    assert np.all(np.diff(table.trajectory) >= 0)
    np.testing.assert_array_equal(np.unique(table.trajectory), np.arange(len(table.trajectory_names)))
    for number, piece in enumerate(table.pieces):
        assert np.all(table.trajectory[piece] == number)
        assert np.all(np.diff(table.time[piece]) > 0)
    assert sum(piece.stop - piece.start for piece in table.pieces) == table.time.size


def test_one_trajectory_has_no_numbers():
    table = read_table({"t": [0, 1, 2, 3], "x": [1, 2, 4, 3]})
    assert table.trajectory is None
    assert (table.trajectory_names, table.pieces) == ((), (slice(0, 4),))


def test_a_column_tells_trajectories_apart_in_the_order_of_their_first_rows():
    table = read_table(RUNS, trajectory="run")
    keeps_its_promises(table)
    assert (table.trajectory_names, table.states, table.notes) == (("b", "a"), ("x",), ())
    np.testing.assert_array_equal(table.trajectory, [0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(table.values[:, 0], RUNS["x"])
    assert [table.time[piece].tolist() for piece in table.pieces] == [[0, 1, 2], [0, 0.5, 1, 4]]


def test_rows_are_sorted_within_each_trajectory_aloud():
    rows = np.array([6, 1, 5, 0, 4, 3, 2])
    shuffled = {name: np.asarray(values)[rows] for name, values in RUNS.items()}
    table = read_table(shuffled, trajectory="run")
    keeps_its_promises(table)
    assert table.trajectory_names == ("a", "b")
    np.testing.assert_array_equal(table.values[:, 0], [5, 3, 2, 1, 1, 2, 4])
    assert table.notes == ("The rows were sorted by `t` within each trajectory.",)


@pytest.mark.parametrize("labels", [["b"] * 3 + ["a"] * 4, [7] * 3 + [2] * 4, [2.5] * 3 + [0.5] * 4])
def test_any_labels_do(labels):
    table = read_table({**RUNS, "run": labels}, trajectory="run")
    assert table.trajectory_names == (str(labels[0]), str(labels[-1]))


@pytest.mark.parametrize("labels", [["b"] * 3 + ["a"] * 4, [7] * 3 + [2] * 4])
def test_a_time_that_restarts_is_explained_by_labels_aloud(labels):
    table = read_table({**RUNS, "run": labels})
    keeps_its_promises(table)
    assert table.states == ("x",)
    assert len(table.trajectory_names) == 2
    assert table.notes == ("Column `run` was taken to name 2 trajectories: `t` starts again with it.",)


def test_trajectories_that_lie_interleaved_are_found():
    times = np.repeat(np.arange(5.0), 3)
    table = read_table({"year": times, "country": ["x", "y", "z"] * 5, "gdp": np.arange(15.0) ** 2})
    keeps_its_promises(table)
    assert table.trajectory_names == ("x", "y", "z")
    np.testing.assert_array_equal(table.values[table.pieces[1], 0], (np.arange(5) * 3 + 1.0) ** 2)


def test_the_coarsest_of_several_explanations_is_taken():
    table = read_table({**RUNS, "half": [1, 2, 2, 3, 3, 4, 4], "run": RUNS["run"]})
    assert table.trajectory_names == ("b", "a")


def test_a_column_asked_for_as_a_state_is_no_label():
    with pytest.raises(DataError, match="same time"):
        read_table({**RUNS, "run": [7] * 3 + [2] * 4}, states=["x", "run"])


def test_a_growing_time_needs_no_labels():
    table = read_table({"t": np.arange(6.0), "phase": [1, 1, 1, 2, 2, 2], "x": [1, 3, 2, 5, 4, 6]})
    assert table.trajectory is None
    assert table.states == ("phase", "x")


def test_a_flag_that_separates_two_equal_times_is_no_trajectory():
    # The hour that comes twice when the clocks are set back.
    times = np.array([0, 1, 2, 2, 3, 4, 5, 6, 7, 8.0])
    with pytest.raises(DataError, match="row 2 and row 3 have the same time"):
        read_table({"t": times, "summer": [1, 1, 1, 0, 0, 0, 0, 1, 1, 1], "x": times**2 - times})


def test_year_and_month_are_a_date_not_trajectories():
    year, month = np.divmod(np.arange(36), 12)
    table = read_table({"year": 1990 + year, "month": month + 1, "x": np.arange(36.0) % 7})
    assert (table.trajectory, table.states, table.calendar) == (None, ("x",), "year")
    np.testing.assert_allclose(table.time, 1990 + np.arange(36) / 12, rtol=0, atol=1e-9)
    assert table.notes[0] == "The time was put together from the columns `year`, `month`."


def test_year_month_and_day_are_a_date():
    days = np.datetime64("2020-02-27") + np.arange(5)
    parts = [str(day).split("-") for day in days]
    columns = {name: [int(part[k]) for part in parts] for k, name in enumerate(("Year", "Month", "Day"))}
    table = read_table({**columns, "x": [3, 1, 2, 5, 4]})
    assert (table.calendar, table.states) == ("day", ("x",))
    np.testing.assert_allclose(table.time, np.arange(5))
    columns["Day"][2] = 31
    with pytest.raises(DataError, match="row 2, column `Day`: the month has no day 31"):
        read_table({**columns, "x": [3, 1, 2, 5, 4]})


def test_a_month_beside_years_that_differ_stays_a_state():
    table = read_table({"year": [1990, 1991, 1992, 1993], "month": [3, 5, 2, 4]})
    assert (table.time_name, table.states, table.notes) == ("year", ("month",), ())


def test_trajectories_of_one_row_go_aloud():
    table = read_table(
        {"run": list("aabccddd"), "t": [0, 1, 0, 0, 1, 0, 1, 2], "x": [1, 2, 9, 3, 4, 1, 5, 6]}, "t", trajectory="run"
    )
    keeps_its_promises(table)
    assert table.trajectory_names == ("a", "c", "d")
    assert 9 not in table.values
    assert table.notes[-1] == "1 trajectory with fewer than 2 usable rows was dropped (first: 'b')."


def test_one_trajectory_that_is_left_is_one():
    table = read_table({"run": list("abbbb"), "t": [0, 0, 1, 2, 3], "x": [9, 3, 4, 1, 5]}, trajectory="run")
    assert table.trajectory is None
    np.testing.assert_array_equal(table.values[:, 0], [3, 4, 1, 5])


def test_trajectories_of_one_row_alone_are_refused():
    with pytest.raises(DataError, match="every trajectory of column `run` has fewer than 2 usable rows"):
        read_table({"run": list("abcd"), "t": [0, 1, 2, 3], "x": [1, 2, 4, 3]}, trajectory="run")


def test_rows_without_a_name_go_aloud():
    table = read_table({**RUNS, "run": ["b", "b", "b", "a", "", "a", "a"]}, trajectory="run")
    assert table.time.size == 6
    assert table.notes == ("1 row without the name of a trajectory was dropped (first: row 4).",)


def test_row_numbers_start_again_with_each_trajectory():
    runs = {"run": list("abababa"), "x": [5, 3, 1, 4, 7, 1, 2]}
    table = read_table(runs, trajectory="run")
    assert table.time_name == "row"
    np.testing.assert_array_equal(table.time, [0, 1, 2, 3, 0, 1, 2])


def test_a_column_that_grows_within_each_trajectory_is_time():
    table = read_table({"run": list("aaabbb"), "x": [5, 3, 1, 4, 7, 1], "tau": [0, 1, 3, 0, 2, 3]}, trajectory="run")
    assert (table.time_name, table.states) == ("tau", ("x",))


def test_what_is_constant_within_each_trajectory_is_no_state():
    table = read_table({**RUNS, "dose": [10.0] * 3 + [20.0] * 4}, trajectory="run")
    assert table.states == ("x",)
    assert "name it with `inputs`" in table.notes[0]
    assert read_table({**RUNS, "dose": [10.0] * 3 + [20.0] * 4}, trajectory="run", inputs="dose").inputs == ("dose",)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"trajectory": "runs"}, "`trajectory` of `read_table` must name columns of table. Got 'runs'.*`run`"),
        (
            {"trajectory": "t", "time": "t"},
            "`trajectory` of `read_table` must not hold the time column. Got `t`. Leave it out",
        ),
        ({"trajectory": "x", "states": "x"}, "`states` of `read_table` must not hold the trajectory column"),
    ],
)
def test_faults_of_the_argument(arguments, expected):
    with pytest.raises(DataError, match=expected):
        read_table(RUNS, **arguments)


def test_equal_times_within_a_trajectory_are_refused():
    with pytest.raises(DataError, match="row 1 and row 2 have the same time"):
        read_table({**RUNS, "t": [0, 1, 1, 0, 1, 2, 3]}, trajectory="run")


def test_equal_times_name_the_remedy():
    with pytest.raises(DataError, match="tells trajectories apart with `trajectory`"):
        read_table({"t": [0, 1, 2, 0, 1, 2], "x": [1, 2.5, 4, 5, 3, 2]})

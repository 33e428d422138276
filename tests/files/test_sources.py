"""Several files at once, Parquet, frames of polars, and the records the project is tuned on."""

import datetime as dt
import sys

import numpy as np
import pytest

from continua.files import DataError, read_table


@pytest.fixture
def runs(tmp_path):
    """Three files of one system; the tenth run comes after the second."""
    for number, rows in ((10, 3), (1, 4), (2, 2)):
        lines = "".join(f"{k},{number * 100 + k * k},{k}\n" for k in range(rows))
        (tmp_path / f"run{number}.csv").write_text("t [s],x [m],u\n" + lines)
    return tmp_path


def message_of(source, **arguments):
    with pytest.raises(DataError) as caught:
        read_table(source, **arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


# ---- several files


def test_a_pattern_reads_each_file_as_a_trajectory(runs):
    table = read_table(f"{runs}/run*.csv", inputs="u")
    assert table.trajectory_names == ("run1.csv", "run2.csv", "run10.csv")
    assert (table.states, table.inputs, table.units) == (("x",), ("u",), {"t": "s", "x": "m"})
    assert [table.time[piece].tolist() for piece in table.pieces] == [[0, 1, 2, 3], [0, 1], [0, 1, 2]]
    assert table.values[table.pieces[2], 0].tolist() == [1000, 1001, 1004]
    assert table.source == "run1.csv and 2 more tables"
    assert table.notes == ("3 tables were read, each as a trajectory.", "Units from the headers: t in s, x in m.")


def test_a_pattern_may_be_a_path(runs):
    assert read_table(runs / "run?.csv").trajectory_names == ("run1.csv", "run2.csv")
    assert read_table(runs / "**" / "*.csv").time.size == 9


def test_a_list_keeps_its_order(runs):
    table = read_table([runs / "run10.csv", str(runs / "run1.csv")])
    assert table.trajectory_names == ("run10.csv", "run1.csv")


def test_one_file_of_a_pattern_is_a_table_like_others(runs):
    table = read_table(f"{runs}/run1.*")
    assert (table.trajectory, table.source) == (None, "run1.csv")


def test_a_file_whose_name_looks_like_a_pattern_is_read(runs):
    (runs / "run1.csv").rename(runs / "run[1].csv")
    assert read_table(runs / "run[1].csv").source == "run[1].csv"


def test_files_of_one_name_are_told_apart_by_their_folders(runs):
    (runs / "b").mkdir()
    (runs / "b" / "run1.csv").write_text((runs / "run1.csv").read_text())
    names = read_table([runs / "run1.csv", runs / "b" / "run1.csv"]).trajectory_names
    assert [name.endswith("run1.csv") for name in names] == [True, True]
    assert len(set(names)) == 2


def test_tables_in_memory_may_be_several():
    run = {"t": [0.0, 1.0, 2.0], "x": [1.0, 3.0, 2.0]}
    table = read_table([run, run, run])
    assert table.trajectory_names == ("table 1", "table 2", "table 3")
    np.testing.assert_array_equal(table.values[:, 0], [1, 3, 2] * 3)


def test_a_column_tells_trajectories_apart_within_each_file(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("run,t,x\n1,0,1\n1,1,2\n1,2,4\n2,0,5\n2,1,3\n2,2,1\n")
    asked = read_table(f"{tmp_path}/*.csv", trajectory="run")
    inferred = read_table(f"{tmp_path}/*.csv")
    for table in (asked, inferred):
        assert table.trajectory_names == ("a.csv: 1", "a.csv: 2", "b.csv: 1", "b.csv: 2")
        assert table.states == ("x",)
    assert any("`run` was taken to name 4 trajectories" in note for note in inferred.notes)


def test_dates_of_several_files_count_from_the_first_of_all(tmp_path):
    for name, start in (("a", dt.date(2020, 1, 11)), ("b", dt.date(2020, 1, 1))):
        rows = "".join(f"{start + dt.timedelta(days=k)},{k * k}\n" for k in range(3))
        (tmp_path / f"{name}.csv").write_text("date,x\n" + rows)
    table = read_table(f"{tmp_path}/*.csv")
    np.testing.assert_allclose(table.time, [10, 11, 12, 0, 1, 2])


def test_the_rows_of_files_without_a_time_are_counted_in_each(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("x,y\n1,5\n3,2\n2,6\n")
    np.testing.assert_array_equal(read_table(f"{tmp_path}/*.csv").time, [0, 1, 2, 0, 1, 2])


def test_what_is_said_of_one_file_has_its_name(runs):
    (runs / "run2.csv").write_text("# x\nu,t [s],x [m],\n0,0,5,\n1,1,6,\n")
    notes = read_table(f"{runs}/*.csv").notes
    assert "run2.csv: An unnamed empty column was dropped." in notes


FAULTS = [
    ("t [s],x [m]\n0,1\n1,2\n", "run2.csv has other columns than run1.csv: it lacks `u`. Use files with"),
    ("t [s],x [m],u,w\n0,1,2,3\n1,2,3,4\n", "it has `w` besides"),
    ("t [s],y,u\n0,1,2\n1,2,3\n", "it lacks `x` and it has `y` besides"),
    ("t [s],x [cm],u\n0,1,2\n1,2,3\n", "its `x` is in cm, not m"),
    ("t [s],x [m],u\n0,1,2\n1,two,3\n", "run2.csv, line 3, column `x`: 'two' is not a number"),
    ("t [s],x [m],u\n0,1,2\n0,2,3\n", "run2.csv, line 2 and run2.csv, line 3 have the same time"),
    ("t [s],x [m],u\nsoon,1,2\n0,2,3\n", "run2.csv, line 2, time column `t`: 'soon'"),
    ("", "run2.csv is empty"),
]


@pytest.mark.parametrize(("content", "expected"), FAULTS)
def test_a_fault_names_the_file(runs, content, expected):
    (runs / "run2.csv").write_text(content)
    assert expected in message_of(f"{runs}/*.csv", states=None)


def test_patterns_and_lists_of_nothing(runs):
    assert "must match a file" in message_of(f"{runs}/*.tsv")
    assert "empty list" in message_of([])
    assert "must name each file once" in message_of([runs / "run1.csv", runs / "run1.csv"])
    assert "Got 'int'" in message_of([5])
    assert "must be a file that exists" in message_of([runs / "run*.csv"])
    assert "add /*.csv" in message_of(runs)


@pytest.mark.parametrize("pattern", ["[", "a\0*", "~nobody-at-all/*", "*" * 3000, "**/\ud800*"])
def test_patterns_that_match_nothing(pattern):
    assert "must match a file" in message_of("/nowhere/" + pattern)


# ---- Parquet and polars


pl = pytest.importorskip("polars")
FRAME = pl.DataFrame(
    {
        "date": [dt.date(2020, 1, k) for k in range(1, 7)],
        "x [m]": [1, 2, None, 4, 3, 9],
        "on": [True, None, False, True, True, False],
        "label": pl.Series(["a", None, "b", "a", "b", "a"], dtype=pl.Categorical),
        "parts": [[1, 2]] * 6,
    }
)


def is_the_frame(table):
    assert (table.calendar, table.states, table.units["x"]) == ("day", ("x", "on"), "m")
    np.testing.assert_array_equal(table.values, [[1, 1], [2, np.nan], [np.nan, 0], [4, 1], [3, 1], [9, 0]])
    assert "Column `label` was dropped: it holds text." in table.notes
    assert "Column `parts` was dropped: it holds neither numbers, text nor dates." in table.notes


def test_polars_frames():
    is_the_frame(read_table(FRAME))
    is_the_frame(read_table(FRAME.lazy()))
    zoned = FRAME.with_columns(pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone("Europe/Berlin"))
    is_the_frame(read_table(zoned))


@pytest.mark.parametrize("name", ["data.parquet", "data.PQ", "data.bin"])
def test_parquet_is_known_by_its_name_or_its_first_bytes(tmp_path, name):
    FRAME.write_parquet(tmp_path / name)
    table = read_table(tmp_path / name)
    is_the_frame(table)
    assert table.source == name


def test_several_parquet_files(tmp_path):
    for name in "ab":
        FRAME.select("date", "x [m]").write_parquet(tmp_path / f"{name}.parquet")
    assert read_table(f"{tmp_path}/*.parquet").trajectory_names == ("a.parquet", "b.parquet")


def test_a_fault_in_parquet_names_the_row(tmp_path):
    FRAME.select("date", pl.Series("x", [1.0, 2.0, float("inf"), 3.0, 4.0, 5.0])).write_parquet(
        tmp_path / "data.parquet"
    )
    assert message_of(tmp_path / "data.parquet").startswith("data.parquet, row 2, column `x`: the number is infinite")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99, 0.999])
def test_truncated_parquet_is_refused(tmp_path, kept):
    path = tmp_path / "data.parquet"
    FRAME.write_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert message_of(path).startswith("data.parquet is ")


def test_damaged_parquet_cannot_take_the_process_with_it(tmp_path):
    path = tmp_path / "data.parquet"
    FRAME.write_parquet(path)
    content = bytearray(path.read_bytes())
    for places in (slice(4, 24), slice(24, 60), slice(-200, -100)):
        damaged = content.copy()
        damaged[places] = b"\xff" * len(damaged[places])
        path.write_bytes(damaged)
        assert message_of(path).startswith("data.parquet is damaged Parquet")


def test_what_is_called_parquet_and_is_not(tmp_path):
    (tmp_path / "data.parquet").write_text("t,x\n0,1\n")
    assert "is no Parquet file" in message_of(tmp_path / "data.parquet")
    (tmp_path / "folder.parquet").mkdir()
    assert "Got the folder" in message_of(tmp_path / "folder.parquet")
    assert "must be a file that exists" in message_of(tmp_path / "nothing.parquet")


def test_parquet_without_polars(tmp_path, monkeypatch):
    FRAME.write_parquet(tmp_path / "data.parquet")
    monkeypatch.setitem(sys.modules, "polars", None)
    assert "needs polars" in message_of(tmp_path / "data.parquet")


# ---- records


RECORDS = [
    ("series/AirPassengers.csv", 144, "Month", "year", ("#Passengers",)),
    ("series/ETTh1.csv", 17420, "date", "day", ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")),
    ("series/hudson-bay-lynx-hare.csv", 21, "Year", "year", ("Lynx", "Hare")),
    ("series/monthly-sunspots.csv", 2820, "Month", "year", ("Sunspots",)),
    ("series/statsmodels_co2.csv", 2225, "date", "year", ("co2",)),
    ("series/statsmodels_sunspots.csv", 309, "YEAR", "year", ("SUNACTIVITY",)),
    ("sysid/silverbox_SNLS80mV.csv", 131072, "row", None, ("V1", "V2")),
    ("sysid/silverbox_Schroeder80mV.csv", 131072, "row", None, ("V1", "V2")),
]


@pytest.mark.parametrize(("path", "rows", "time", "calendar", "states"), RECORDS)
def test_records_are_read_without_asking_for_anything(data_folder, path, rows, time, calendar, states):
    table = read_table(data_folder / path)
    assert (table.time.size, table.time_name, table.calendar, table.states) == (rows, time, calendar, states)
    assert table.trajectory is None
    assert not np.isnan(table.values).any()


def test_no_record_is_forgotten(data_folder):
    here = {str(p.relative_to(data_folder)) for part in ("series", "sysid") for p in (data_folder / part).glob("*.csv")}
    assert here == {path for path, *_ in RECORDS}


def test_the_input_of_the_silver_box_is_named(data_folder):
    table = read_table(data_folder / "sysid" / "silverbox_SNLS80mV.csv", inputs="V1")
    assert (table.states, table.inputs, table.input_values.shape) == (("V2",), ("V1",), (131072, 1))

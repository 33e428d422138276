"""Dates in the ways people write them; never two ways in one column."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continua.files import DataError, read_table
from continua.files.dates import DateFault, Dates, dates_of

DAYS = [dt.date(2020, 1, 30) + dt.timedelta(days=k) for k in range(5)]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"])
@pytest.mark.parametrize("clock", ["", " 06:30", "T06:30:00", " 6:30:00.25"])
def test_days(form, clock):
    table = read_table({"date": [day.strftime(form) + clock for day in DAYS], "x": [3, 1, 4, 1, 5]})
    np.testing.assert_allclose(table.time, np.arange(5), atol=1e-9)
    assert table.calendar == "day"


@pytest.mark.parametrize(("form", "said"), [("%d/%m/%Y", "day/month/year"), ("%m/%d/%Y", "month/day/year")])
def test_the_order_that_the_numbers_tell_is_said(form, said):
    table = read_table({"date": [day.strftime(form) for day in DAYS], "x": [3, 1, 4, 1, 5]})
    assert table.notes[0] == f"Dates were read as {said}."


def test_an_order_that_nothing_tells_is_refused():
    with pytest.raises(DataError, match="cannot be told whether '01/02/2020' starts with the day or the month"):
        read_table({"date": [f"0{k}/02/2020" for k in range(1, 6)], "x": [3, 1, 4, 1, 5]})


def test_quarters():
    quarters = [f"{1990 + k // 4}Q{1 + k % 4}" for k in range(12)]
    table = read_table({"quarter": quarters, "x": np.arange(12) % 5}, time="quarter")
    np.testing.assert_allclose(table.time, 1990 + np.arange(12) / 4, atol=1e-9)


MIXED = [
    (["1949-01", "1949-02", "1949-03-01", "1949-04"], "'1949-01' are mixed with '1949-03-01'"),
    (["2020-01-30", "31.01.2020", "2020-02-01", "2020-02-02"], "'2020-01-30' are mixed with '31.01.2020'"),
    (["2020-01-30", "2020/01/31", "2020-02-01", "2020-02-02"], "mixed with '2020/01/31'"),
    (["1949", "1949-02", "1949-03", "1949-04"], "'1949-02' is mixed with numbers"),
    (["1949-01", "1949", "1949-03", "1949-04"], "mixed with '1949'"),
    (["194901", "194902", "19490301", "194904"], "'194901' are mixed with '19490301'"),
    (["194901", "194902", "194913", "194904"], "'194901' are mixed with '194913'"),
    (["30/01/2020", "01/31/2020", "01/02/2020", "02/02/2020"], "mixed with '01/31/2020'"),
    (["2020-01-30T00:00Z", "2020-01-31T00:00", "2020-02-01T00:00Z", "2020-02-02T00:00Z"], "mixed with '2020-01-31T00:"),
    (["2020-01-30", "2020-02-30", "2020-03-01", "2020-03-02"], "'2020-02-30' is neither a number nor a date"),
]


@pytest.mark.parametrize(("dates", "expected"), MIXED)
def test_mixed_forms_are_refused_in_one_line(tmp_path, dates, expected):
    path = tmp_path / "data.csv"
    path.write_text("date,x\n" + "".join(f"{date},{k * k % 3}\n" for k, date in enumerate(dates)))
    with pytest.raises(DataError, match=r"data\.csv, line [345], time column `date`: ") as caught:
        read_table(path)
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_date_without_a_time_of_day_is_midnight_aloud():
    hours = ["2020-01-30", "2020-01-30 01:00", "2020-01-30 02:00", "2020-01-30 03:00"]
    table = read_table({"time": hours, "x": [3, 1, 4, 1]})
    np.testing.assert_allclose(table.time, np.arange(4))
    assert "midnight" in table.notes[0]


def test_dates_that_start_again_are_the_time_too():
    days = ["2020-01-01", "2020-01-02", "2020-01-03"] * 2
    table = read_table({"Tag": days, "x": [1, 3, 2, 4, 6, 5], "room": list("AAABBB")})
    assert (table.time_name, table.trajectory_names, table.states) == ("Tag", ("A", "B"), ("x",))
    assert table.notes[0] == "Column `Tag` was taken as the time, because it holds dates."


def test_gaps_in_dates(tmp_path):
    rows = ["194901,1", "194902,2", ",3", "194904,4", "194905,5"]
    path = tmp_path / "data.csv"
    path.write_text("Month,x\n" + "\n".join(rows))
    table = read_table(path)
    assert table.time.size == 4
    assert "without a time" in table.notes[-1]


@pytest.mark.parametrize("header", ["decimal date", "Decimal_Year"])
def test_decimal_years_are_known_by_their_name(header):
    table = read_table({"year": [1990] * 4, header: [1990.1, 1990.2, 1990.3, 1990.4], "x": [1, 3, 2, 4]})
    assert (table.time_name, table.calendar, table.states) == (header, "year", ("x",))


@given(st.lists(st.datetimes(min_value=dt.datetime(1000, 1, 1)), min_size=1, max_size=5), st.sampled_from(["T", " "]))
def test_what_python_writes_is_read(instants, separator):
    found = dates_of([instant.isoformat(separator) for instant in instants])
    assert isinstance(found, Dates)
    assert found.instants.tolist() == instants


@given(st.lists(st.text(alphabet="0123456789-/.:TZQ+ ", max_size=20), max_size=4))
def test_any_texts(texts):
    found = dates_of(texts)
    assert found is None or isinstance(found, Dates | DateFault)

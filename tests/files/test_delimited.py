"""Text that is too long for one block, text of odd shape, and text that is none."""

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.files import DataError, delimited, read_table, text_lines
from continua.files.columns import plain_texts
from continua.files.delimited import read_delimited
from continua.files.plain_blocks import plain_columns


def read(text):
    return read_delimited(io.BytesIO(text if isinstance(text, bytes) else text.encode()), "data.csv")


def outcome(text):
    """What is read, or the message of the refusal."""
    try:
        return read(text)
    except DataError as error:
        return str(error)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 4)
    monkeypatch.setattr(text_lines, "PIECE", 7)


LONG = "# by hand\nt,x,y\n" + "".join(f"{k},{k * k / 7!r},{'' if k % 3 else k}\n" for k in range(50))


@pytest.mark.parametrize("without", [None, "polars"])
def test_blocks_change_nothing(monkeypatch, small_blocks, without):
    if without:
        monkeypatch.setitem(sys.modules, without, None)
    table = read(LONG)
    np.testing.assert_array_equal(table.columns[1], np.arange(50) ** 2 / 7)
    np.testing.assert_array_equal(np.isnan(table.columns[2]), np.arange(50) % 3 != 0)
    np.testing.assert_array_equal(table.lines, 3 + np.arange(50))


@pytest.mark.parametrize(
    ("line", "content", "expected"),
    [
        (37, "34,x,1", "line 37, column `x`: 'x' is not a number"),
        (37, "34,inf,1", "line 37, column `x`: the number is infinite"),
        (37, "34,1", "line 37 has 2 cells, the header has 3"),
        (37, '34,"1,1', "line 52: unexpected end of data"),
    ],
)
def test_a_fault_in_a_late_block_names_its_line(tmp_path, small_blocks, line, content, expected):
    lines = LONG.splitlines()
    lines[line - 1] = content
    (tmp_path / "data.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=expected):
        read_table(tmp_path / "data.csv")


def test_a_label_reads_the_same_in_every_block(small_blocks):
    runs = ["07", "7", "07", "07", "07", "a", "7", "b", "07", "07"]
    table = read("run,t\n" + "".join(f"{run},{k}\n" for k, run in enumerate(runs)))
    assert table.columns[0] == ["7", "7", "7", "7", "7", "a", "7", "b", "7", "7"]


ROWS = st.lists(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["", "0", "1", " 2", "3 ", "NA", "1_0", "x", "inf", "nan", "1e999", "+.5", "5.", "−1", '"1"']
            ),
            st.sampled_from(["# c", '"a,b"', '"a\nb"', '"', "1,5", "0x10", "1d5", "٣", "2020-01-01", "TRUE", " "]),
            st.floats(allow_nan=False).map(repr),
            st.integers().map(str),
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, delimiter=st.sampled_from(",;\t "), ending=st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_quick_reader_agrees_with_the_careful_one(rows, delimiter, ending):
    text = ending.join(["t,x".replace(",", delimiter), *(delimiter.join(row) for row in rows)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "PIECE", 50)
        careful = outcome(text)
        patch.setattr(delimited, "BLOCK", 2)
        quick = outcome(text)
    assert isinstance(quick, str) == isinstance(careful, str)  # of two faults either may be told
    if isinstance(careful, str) or isinstance(quick, str):
        return
    assert (quick.headers, quick.notes) == (careful.headers, careful.notes)
    np.testing.assert_array_equal(quick.lines, careful.lines)
    for one, other in zip(quick.columns, careful.columns, strict=True):
        assert isinstance(one, list) == isinstance(other, list)
        # Text beside numbers is told in one form where there are several blocks.
        np.testing.assert_array_equal(plain_texts(one), plain_texts(other))


@settings(max_examples=300, deadline=None)
@given(
    cells=st.lists(
        st.one_of(st.floats().map(repr), st.text(alphabet="0123456789+-.eEinfa_ ", max_size=8)), min_size=1, max_size=6
    )
)
def test_numbers_of_the_quick_reader_are_python_s(cells):
    pytest.importorskip("polars")
    columns = plain_columns([f"0,{cell}\n" for cell in cells], ",", 2)
    assert columns is not None
    if isinstance(columns[1], np.ndarray):
        expected = [float(cell) if cell.strip() else np.nan for cell in cells]
        np.testing.assert_array_equal(columns[1], expected)


@pytest.mark.parametrize("piece", [2, 3, 5, 8])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_the_same_however_the_file_is_cut(monkeypatch, piece, encoding, ending):
    monkeypatch.setattr(text_lines, "PIECE", piece)
    lines = [f"Größe {k}\u2028{ending}" for k in range(4)] + [ending, "end"]
    stream = io.BytesIO("".join(lines).encode(encoding))
    assert list(text_lines.text_lines(stream, "data.csv")) == lines


OTHER_KINDS = [
    (b"\x1f\x8b\x08\0", "is compressed"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    (b"\x93NUMPY\1\0", "is a NumPy file"),
    (b"ARROW1\0\0", "is an Arrow file"),
    (b"SQLite format 3\0", "is a database"),
    (b"\xff\xfet\0,", "is not sound UTF-16"),
    ("t,x\n0,1\n".encode("utf-16-le"), "is binary"),
    (b"t,x\n0,1\n" * 9 + b"\xe9,1\n", "line 19 is not UTF-8"),
]


@pytest.mark.parametrize(("content", "expected"), OTHER_KINDS)
@pytest.mark.parametrize("piece", [20, 1 << 20])
def test_files_of_other_kinds(monkeypatch, content, expected, piece):
    monkeypatch.setattr(text_lines, "PIECE", piece)
    with pytest.raises(DataError, match=expected):
        read(content)


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(text_lines, "PIECE", 10)
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 100)
    with pytest.raises(DataError, match="a line of more than 100 characters"):
        read("1," * 100)


def test_more_columns_than_rows(tmp_path):
    (tmp_path / "data.csv").write_text(
        "t,"
        + ",".join(f"x{k}" for k in range(9))
        + "\n"
        + "".join(f"{row}," + ",".join(str((row + 1) * k % 7) for k in range(9)) + "\n" for row in range(5))
    )
    with pytest.raises(DataError, match=r"more columns than rows \(\d+ and 5\)"):
        read_table(tmp_path / "data.csv")
    assert read_table(tmp_path / "data.csv", states=["x1", "x2"]).states == ("x1", "x2")


def test_thousands_of_columns_are_refused_at_once(tmp_path):
    cells = [str(k) for k in range(5_000)]
    (tmp_path / "data.csv").write_text(
        "\n".join(",".join(f"{row}{cell}" for cell in cells) for row in ("a", 1, 2, 3, 5))
    )
    with pytest.raises(DataError, match="more columns than rows"):
        read_table(tmp_path / "data.csv")


def test_commas_are_decimal_only_where_they_cannot_be_thousands(tmp_path):
    path = tmp_path / "data.tsv"
    path.write_text("t\tx\n0\t0,5\n1\t1,234\n2\t2\n3\t3,5\n")
    table = read_table(path)
    np.testing.assert_array_equal(table.values[:, 0], [0.5, 1.234, 2, 3.5])
    assert "decimal points" in table.notes[0]
    path.write_text("t\tx\n0\t1,500\n1\t1,234\n2\t2\n3\t3,700\n")
    with pytest.raises(DataError, match="'1,500' is not a number"):
        read_table(path)


def test_decimal_commas_without_a_header(tmp_path):
    (tmp_path / "data.csv").write_text("1;0,5\n2;0,25\n3;1\n4;0,5\n")
    table = read_table(tmp_path / "data.csv")
    np.testing.assert_array_equal(table.values[:, 0], [0.5, 0.25, 1, 0.5])


def test_a_long_table_takes_little_more_than_its_numbers(tmp_path):
    import tracemalloc

    rows = 30_000
    (tmp_path / "data.csv").write_text("t,x\n" + "".join(f"{k},{k % 1000 / 7:.15f}\n" for k in range(rows)))
    tracemalloc.start()
    table = read_table(tmp_path / "data.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.time.size == rows
    assert peak < 20 * 8 * 2 * rows  # twenty copies of the numbers; a list of all cells takes more than that

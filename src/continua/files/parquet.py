"""Parquet files, by polars, which is imported only here."""

import os
import subprocess
import sys
from pathlib import Path

from continua.files.errors import DataError
from continua.files.frames import read_columns
from continua.files.raw_table import RawTable
from continua.files.text_lines import name_of, opened
from continua.files.wording import one_line

MAGIC = b"PAR1"  # at both ends of every file
ENDINGS = (".parquet", ".parq", ".pq")
LENGTH_AND_MAGIC = 8
SHORTEST = len(MAGIC) + LENGTH_AND_MAGIC
LONGEST_REASON = 120
# A damaged page can abort the whole process (rust, out of memory): a process of its own tries first.
TRIAL = """
import sys, polars
try:
    polars.read_parquet(sys.argv[1], glob=False, hive_partitioning=False)
except BaseException as error:
    print(str(error).partition("\\n")[0])
    sys.exit(1)
"""


def is_parquet(path: str) -> bool:
    """Whether a file says that it is Parquet, by its name or by its first bytes."""
    if path.lower().endswith(ENDINGS):
        return True
    try:
        file = Path(path).expanduser()
        if not file.is_file():
            return False
        with file.open("rb") as stream:
            start = stream.read(1 << 12)
    except (OSError, RuntimeError, ValueError):
        return False  # whoever reads it says why it cannot be opened
    return start.startswith(MAGIC) and b"\0" in start


def read_parquet(path: str) -> RawTable:
    """The columns of a Parquet file; every failure is a `DataError` that names the file."""
    source = name_of(path)
    _refuse_unwhole(path, source)
    try:
        import polars as pl
    except ImportError:
        raise DataError(
            f"{source} is Parquet, which needs polars. Install it (`pip install polars`), or export the table as CSV."
        ) from None
    full = str(Path(path).expanduser().resolve())
    _try_apart(full, source)
    try:
        frame = pl.read_parquet(full, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(source, str(error)) from None
    return read_columns(frame, source)


def _refuse_unwhole(path: str, source: str) -> None:
    """Refuses a file without the ends of a Parquet file."""
    with opened(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        if size == 0:
            raise DataError(f"{source} is empty. Use a table with named columns and at least 4 rows.")
        stream.seek(0)
        start = stream.read(len(MAGIC))
        stream.seek(max(size - LENGTH_AND_MAGIC, 0))
        end = stream.read()
    if start != MAGIC:
        raise DataError(f"{source} is no Parquet file. Use Parquet, or give a CSV file a name that ends in .csv.")
    footer = int.from_bytes(end[:4], "little")
    if size < SHORTEST or end[4:] != MAGIC or footer > size - SHORTEST:
        raise DataError(f"{source} is truncated: the end of the Parquet file is missing. Copy or write it again.")


def _try_apart(path: str, source: str) -> None:
    """Refuses a file that cannot be read by a process of its own."""
    if not sys.executable:
        return
    command = [sys.executable, "-P", "-c", TRIAL, path]
    tried = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if tried.returncode:
        raise _damaged(source, tried.stdout.decode(errors="replace"))


def _damaged(source: str, reason: str) -> DataError:
    line = one_line(reason)[:LONGEST_REASON].rstrip(".")
    return DataError(f"{source} is damaged Parquet{f' ({line})' if line else ''}. Copy or write it again.")

"""The lines of a text file, read and decoded in pieces."""

import codecs
import difflib
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from continua.files.errors import DataError
from continua.files.wording import one_line, quoted

PIECE = 1 << 20  # bytes
LONGEST_LINE = 1 << 26  # characters
# What files of other kinds start with.
SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\x1f\x8b": "compressed",
    b"BZh9": "compressed",
    b"\xfd7zXZ": "compressed",
    b"\x28\xb5\x2f\xfd": "compressed",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of the old kind",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3\0": "a database",
}


def name_of(path: str) -> str:
    """The file's name, for messages."""
    return one_line(Path(path).name) or quoted(path)


@contextmanager
def opened(path: str) -> Iterator[io.BufferedIOBase]:
    """A regular file or a pipe, open for reading bytes; every failure inside is a `DataError`."""
    name = quoted(path)
    try:
        file = Path(path).expanduser()
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(
                f"`source` of `read_table` must be a file. Got the folder {name}. "
                "Use a CSV file in it, or add /*.csv to the path to read all of them."
            )
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise DataError(f"`source` of `read_table` must be a file. Got the device {name}. Use a CSV file.")
        with file.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise DataError(_missing(Path(path), name)) from None
    except PermissionError:
        raise DataError(f"{name} may not be read. Use a file you have the permission to read.") from None
    except DataError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: a NUL in the path; RuntimeError: no home folder
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise DataError(f"{name} cannot be read: {reason}. Use the path of a CSV file.") from None


def _missing(path: Path, name: str) -> str:
    """The message for a file that is not there, with the names in its folder that are nearly the same."""
    message = f"`source` of `read_table` must be a file that exists. Got {name}."
    try:
        neighbours = sorted(entry.name for entry in path.expanduser().parent.iterdir() if entry.is_file())
    except (OSError, RuntimeError, ValueError):
        return f"{message} Use the path of a file; its folder does not exist either."
    similar = difflib.get_close_matches(path.name, neighbours, n=3, cutoff=0.6)
    if similar:
        return f"{message} Did you mean {' or '.join(quoted(s) for s in similar)}?"
    return f"{message} Use the path of a CSV file."


def text_lines(stream: io.BufferedIOBase, source: str) -> Iterator[str]:
    """The lines with their endings, from UTF-8, or from UTF-16 where the file says so."""
    held = ""  # a line may go on in the next piece
    for text in _decoded(stream, source):
        lines = io.StringIO(held + text, newline="").readlines()
        held = lines.pop() if lines else ""
        if len(held) > LONGEST_LINE:
            raise DataError(f"{source} has a line of more than {LONGEST_LINE:,} characters. Use a table in plain text.")
        yield from lines
    if held:
        yield held


def _decoded(stream: io.BufferedIOBase, source: str) -> Iterator[str]:
    piece = stream.read(PIECE)
    _refuse_other_kinds(piece, source)
    wide = piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    # Bytes that are no UTF-8 become lone surrogates, so that the line that holds them can be told.
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")("strict" if wide else "surrogateescape")
    line = 1
    while piece:
        if not wide and b"\0" in piece:
            raise DataError(f"{source} is binary. Use a table in plain text, for example CSV.")
        following = stream.read(PIECE)
        try:
            text = decoder.decode(piece, final=not following)
        except UnicodeDecodeError:
            raise DataError(f"{source} is not sound UTF-16 text. Save the table as CSV in UTF-8.") from None
        _refuse_surrogates(text, line, source)
        line += text.count("\n")
        yield text
        piece = following


def _refuse_other_kinds(start: bytes, source: str) -> None:
    for signature, kind in SIGNATURES.items():
        if start.startswith(signature):
            raise DataError(f"{source} is {kind}. Export it as CSV or Parquet, or unpack it first.")


def _refuse_surrogates(text: str, line: int, source: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line += text[: error.start].count("\n")
        raise DataError(f"{source}, line {line} is not UTF-8 text. Save the table as CSV in UTF-8.") from None

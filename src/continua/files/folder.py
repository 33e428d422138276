"""Folders that are written whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from continua.files.errors import DataError
from continua.files.wording import one_line, quoted

MARK = "model.json"  # what a folder of ours holds


def write_folder(path: str | os.PathLike[str], files: Mapping[str, str | bytes], force: bool = False) -> Path:
    """Writes a folder of files in one move: a reader finds all of them or none.

    The files are written into a hidden folder beside `path`, which is then renamed.

    Args:
        path: the folder to make; folders above it are made too.
        files: contents by name; text is written in UTF-8. A name may hold folders, such as "figures/fit.svg".
        force: replace a folder that is there, if it is empty or holds `model.json`; any other is left alone.

    Returns:
        The path of the folder.

    Raises:
        DataError: the folder exists, or cannot be written. Nothing is left behind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     print(sorted(f.name for f in write_folder(f"{parent}/model", {"model.json": "{}"}).iterdir()))
        ['model.json']
    """
    _check_names(files)
    target = check_folder(path, force)
    with _faults_of(path):
        made = _make_parents(target)
        try:
            _write(target, files, force)
        except BaseException:
            _remove_parents(made)
            raise
    return Path(path)


def check_folder(path: str | os.PathLike[str], force: bool = False) -> Path:
    """Refuses what `write_folder` would refuse, for those who ask before hours of work.

    Args:
        path: the folder to make.
        force: whether a folder that is there may be replaced.

    Returns:
        The folder's full path, links followed.

    Raises:
        DataError: the folder exists, or holds other things than a model, or its name cannot be one.
    """
    with _faults_of(path):
        target = Path(os.path.realpath(Path(path).expanduser()))
        _check_target(target, quoted(os.fspath(path)), force)
        return target


@contextmanager
def _faults_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """What the system says, in one line."""
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: a NUL in the path; RuntimeError: no home folder
        reason = one_line(getattr(error, "strerror", None) or str(error))
        raise DataError(
            f"{quoted(os.fspath(path))} cannot be written: {reason}. Use a folder on a disk with space and permission."
        ) from None


def _check_names(files: Mapping[str, str | bytes]) -> None:
    """Names stay inside the folder."""
    for name in files:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name or "\\" in name:
            raise DataError(
                f"`files` of `write_folder` must hold names inside the folder. Got {quoted(name)}. Use a plain name."
            )


def _check_target(target: Path, shown: str, force: bool) -> None:
    """Refuses to write over anything that is not a folder of ours, or without being told to."""
    if not target.name:
        raise DataError(f"`path` of `write_folder` must name a folder. Got {shown}. Use a new name.")
    if not target.exists():
        return
    if not target.is_dir():
        raise DataError(f"`path` of `write_folder` must be a folder. Got the file {shown}. Use another name.")
    if not force:
        raise DataError(f"{shown} exists already. Use another name, or --force (`force=True`) to replace it.")
    if any(target.iterdir()) and not (target / MARK).is_file():
        raise DataError(f"{shown} holds other things than a model and is not replaced. Use another name.")


def _make_parents(target: Path) -> list[Path]:
    """The folders above the target that were missing, now made, lowest first."""
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_parents(made: list[Path]) -> None:
    for parent in made:
        try:
            parent.rmdir()
        except OSError:  # someone else has put something there
            return


def _write(target: Path, files: Mapping[str, str | bytes], force: bool) -> None:
    """All files into a sibling, then one rename."""
    sibling = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    try:
        sibling.mkdir()
        for name, content in files.items():
            file = sibling / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        if force and target.exists():
            _replace(target, sibling)
        else:
            sibling.rename(target)
    finally:
        shutil.rmtree(sibling, ignore_errors=True)


def _replace(target: Path, complete: Path) -> None:
    """Puts the complete folder in the place of the old one, which comes back if that fails."""
    aside = complete.with_name(complete.name + ".old")
    try:
        target.rename(aside)
        complete.rename(target)
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(target)

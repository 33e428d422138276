"""Folders appear whole or not at all."""

from pathlib import Path

import pytest

from continua.files import DataError, write_folder

MODEL = {"model.json": "{}", "weights.bin": b"\0\1", "figures/fit.svg": "<svg/>"}


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_writes_all_files(tmp_path):
    path = write_folder(tmp_path / "a" / "b", MODEL)
    assert path == tmp_path / "a" / "b"
    assert (path / "weights.bin").read_bytes() == b"\0\1"
    assert everything_in(tmp_path) == {"a", "a/b", "a/b/figures", *(f"a/b/{name}" for name in MODEL)}


def test_an_existing_folder_is_kept_without_force(tmp_path):
    write_folder(tmp_path / "m", MODEL)
    with pytest.raises(DataError, match=r"--force \(`force=True`\)"):
        write_folder(tmp_path / "m", {"model.json": "new"})
    assert (tmp_path / "m" / "model.json").read_text() == "{}"


def test_force_replaces_a_folder_of_ours_or_an_empty_one(tmp_path):
    write_folder(tmp_path / "m", MODEL)
    write_folder(tmp_path / "m", {"model.json": "new"}, force=True)
    assert everything_in(tmp_path) == {"m", "m/model.json"}
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", MODEL, force=True)
    assert (tmp_path / "empty" / "model.json").exists()


def test_force_spares_the_folders_of_others(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(DataError, match="holds other things"):
        write_folder(tmp_path / "thesis", MODEL, force=True)
    assert everything_in(tmp_path) == {"thesis", "thesis/chapter.tex"}


def test_a_link_is_followed(tmp_path):
    write_folder(tmp_path / "real", MODEL)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_folder(tmp_path / "link", {"model.json": "new"}, force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "model.json").read_text() == "new"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_never_replaced(tmp_path, force):
    (tmp_path / "f").write_text("kept")
    with pytest.raises(DataError, match="Got the file"):
        write_folder(tmp_path / "f", MODEL, force=force)
    with pytest.raises(DataError, match="cannot be written"):
        write_folder(tmp_path / "f" / "below", MODEL, force=force)
    assert (tmp_path / "f").read_text() == "kept"


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../../x", "a\0"])
def test_names_stay_inside(tmp_path, name):
    with pytest.raises(DataError, match="names inside the folder"):
        write_folder(tmp_path / "m", {name: ""})
    assert everything_in(tmp_path) == set()


@pytest.mark.parametrize("path", ["/", "a\0b", "~nobody-at-all/m"])
def test_paths_that_cannot_be(path):
    with pytest.raises(DataError):
        write_folder(path, MODEL, force=True)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [False, True])
def test_nothing_is_left_behind(tmp_path, monkeypatch, fault, existing):
    if existing:
        write_folder(tmp_path / "a" / "m", MODEL)
    before = everything_in(tmp_path)
    written = []

    def fail(self, content):
        written.append(self)
        if len(written) == 2:
            raise fault
        return len(content)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(DataError if isinstance(fault, OSError) else KeyboardInterrupt):
        write_folder(tmp_path / "a" / "m", MODEL, force=existing)
    assert len(written) == 2
    assert everything_in(tmp_path) == before


def test_the_old_folder_returns_when_the_last_move_fails(tmp_path, monkeypatch):
    write_folder(tmp_path / "m", MODEL)
    before = everything_in(tmp_path)
    rename, moves = Path.rename, []

    def fail_once(self, target):
        moves.append(target)
        if len(moves) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(DataError, match="Input/output error"):
        write_folder(tmp_path / "m", {"model.json": "new"}, force=True)
    assert everything_in(tmp_path) == before
    assert (tmp_path / "m" / "model.json").read_text() == "{}"

"""run.py: the choice of Python, the stamp, the remedies. Nothing is installed and no network is asked."""

import ast
import errno
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run():
    spec = importlib.util.spec_from_file_location("continua_run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(run, tmp_path, monkeypatch):
    """A project folder with locks and no environment, as run.py sees it."""
    monkeypatch.setattr(run, "ROOT", str(tmp_path))
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "continua"\nversion = "1.2.3"\n\n[tool.ruff]\nx = 1\n')
    (tmp_path / run.RUN_LOCK).write_text("jax==1 \\\n    --hash=sha256:a\n")
    (tmp_path / run.TEST_LOCK).write_text("jax==1 \\\n    --hash=sha256:a\npytest==2 \\\n    --hash=sha256:b\n")
    return tmp_path


def environment_with(run, stamp, python):
    """An environment that claims a stamp and a Python, without either being real."""
    environment = run.Environment(".venv")
    Path(environment.folder).mkdir()
    environment.stamp = stamp
    environment.python = python
    return environment


class TestSyntax:
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_old_pythons_can_read_it(self):
        ast.parse((ROOT / "run.py").read_text("utf-8"), feature_version=(3, 6))

    def test_it_needs_nothing_but_the_standard_library(self):
        tree = ast.parse((ROOT / "run.py").read_text("utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
        assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names

    def test_it_says_only_what_every_terminal_can_show(self):
        assert (ROOT / "run.py").read_text("utf-8").isascii()


class TestChoiceOfPython:
    def python(self, run, minor, has_venv=True):
        return run.Python(f"/somewhere/python3.{minor}", (3, minor, 1), has_venv)

    def test_the_first_usable_one_is_taken(self, run):
        found = [self.python(run, 10), self.python(run, 14, has_venv=False), self.python(run, 12), self.python(run, 13)]
        assert run.choose(found).version[1] == 12

    def test_too_old_names_the_version_and_the_remedy(self, run):
        with pytest.raises(run.NoPython) as caught:
            run.choose([self.python(run, 8)])
        assert "3.11 or newer" in caught.value.what
        assert "Install Python 3.13" in caught.value.remedy

    def test_without_venv_names_the_package(self, run):
        with pytest.raises(run.NoPython) as caught:
            run.choose([self.python(run, 12, has_venv=False)])
        assert "python3.12-venv" in caught.value.remedy

    def test_newer_come_first_and_the_path_before_pyenv(self, run, monkeypatch):
        monkeypatch.setattr(run, "on_path", lambda name: [f"/path/{name}"])
        monkeypatch.setattr(run, "in_pyenv", lambda minor: [f"/pyenv/3.{minor}"])
        paths = [path for path in run.candidates([14, 13]) if path != sys.executable]
        assert paths == ["/path/python3.14", "/pyenv/3.14", "/path/python3.13", "/pyenv/3.13"]

    def test_the_running_python_is_a_candidate(self, run, monkeypatch):
        monkeypatch.setattr(run, "on_path", lambda name: [])
        monkeypatch.setattr(run, "in_pyenv", lambda minor: [])
        assert list(run.candidates([sys.version_info[1]])) == [sys.executable]

    def test_pyenv_versions_newest_patch_first(self, run, tmp_path, monkeypatch):
        for name in ("3.12.9", "3.12.10", "3.12.1", "3.12.0t", "3.13-dev", "3.11.2", "pypy3.12-7"):
            (tmp_path / "versions" / name).mkdir(parents=True)
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        assert [Path(path).parts[-3] for path in run.in_pyenv(12)] == ["3.12.10", "3.12.9", "3.12.1"]

    def test_a_python_that_refuses_is_passed_over(self, run, tmp_path):
        shim = tmp_path / "python3.14"
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
        found = list(run.started([str(shim), str(tmp_path / "missing"), sys.executable, sys.executable]))
        assert [python.version for python in found] == [sys.version_info[:3]]

    @pytest.mark.parametrize("output", ["", "hello", "3 12", "Python 3.12.1"])
    def test_chatter_is_no_python(self, run, output):
        assert run.read_probe(output) is None

    def test_a_path_may_hold_spaces(self, run):
        assert run.read_probe("3 12 1 1 /my tools/python\n") == run.Python("/my tools/python", (3, 12, 1), True)

    @pytest.mark.parametrize(("minor", "others"), [(11, [14, 13, 12]), (12, [11]), (14, [11])])
    def test_the_other_python_is_from_the_other_end(self, run, minor, others):
        assert run.other_minors(minor) == others


class TestStamp:
    PYTHON = ("/somewhere/python", (3, 13, 0), True)

    def test_test_packages_serve_both_commands(self, run, project):
        environment = environment_with(run, run.fingerprint(run.TEST_LOCK, "3.13.0"), run.Python(*self.PYTHON))
        assert environment.state(run.TEST_LOCK) == environment.state(run.RUN_LOCK) == "complete"

    def test_run_time_packages_are_extended_for_test(self, run, project):
        environment = environment_with(run, run.fingerprint(run.RUN_LOCK, "3.13.0"), run.Python(*self.PYTHON))
        assert environment.state(run.RUN_LOCK) == "complete"
        assert environment.state(run.TEST_LOCK) == "extendable"

    def test_an_interrupted_extension_still_serves_demo(self, run, project):
        stamp = run.fingerprint(run.RUN_LOCK, "3.13.0") + run.Environment.ADDING
        environment = environment_with(run, stamp, run.Python(*self.PYTHON))
        assert environment.state(run.RUN_LOCK) == "complete"
        assert environment.state(run.TEST_LOCK) == "unusable"

    @pytest.mark.parametrize("stamp", ["", "making", "0" * 64])
    def test_a_half_made_or_foreign_environment_is_unusable(self, run, project, stamp):
        environment = environment_with(run, stamp, run.Python(*self.PYTHON))
        assert environment.state(run.RUN_LOCK) == environment.state(run.TEST_LOCK) == "unusable"

    def test_an_environment_whose_python_is_gone_is_unusable(self, run, project):
        environment_with(run, run.fingerprint(run.RUN_LOCK, "3.13.0"), None)
        environment = run.Environment(".venv")
        assert environment.python is None
        assert environment.state(run.RUN_LOCK) == "unusable"

    def test_another_python_is_unusable_where_the_minor_matters(self, run, project):
        environment = environment_with(run, run.fingerprint(run.TEST_LOCK, "3.13.0"), run.Python(*self.PYTHON))
        assert environment.state(run.TEST_LOCK, [11]) == "unusable"

    def test_it_changes_with_lock_python_project_and_folder(self, run, project, monkeypatch):
        seen = {run.fingerprint(run.RUN_LOCK, "3.13.0"), run.fingerprint(run.RUN_LOCK, "3.13.1")}
        (project / run.RUN_LOCK).write_text("jax==2\n")
        seen.add(run.fingerprint(run.RUN_LOCK, "3.13.0"))
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace("1.2.3", "1.2.4"))
        seen.add(run.fingerprint(run.RUN_LOCK, "3.13.0"))
        assert len(seen) == 4

    def test_it_stays_when_only_tools_are_set_differently(self, run, project):
        before = run.fingerprint(run.RUN_LOCK, "3.13.0")
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace("x = 1", "x = 2"))
        assert run.fingerprint(run.RUN_LOCK, "3.13.0") == before
        assert run.project_version() == "1.2.3"

    def test_a_folder_of_the_users_is_never_removed(self, run, project):
        (project / ".venv").mkdir()
        (project / ".venv" / "diary.txt").write_text("mine")
        with pytest.raises(run.Trouble, match="no Python environment"):
            run.Environment(".venv").clear()
        assert (project / ".venv" / "diary.txt").exists()

    def test_a_half_made_environment_is_removed(self, run, project, capsys):
        environment_with(run, run.Environment.MAKING, None).clear()
        assert not (project / ".venv").exists()
        assert "removed" in capsys.readouterr().out


class TestLocks:
    @pytest.fixture(params=["requirements.lock", "requirements-test.lock"])
    def lock(self, request):
        return (ROOT / request.param).read_text("utf-8")

    def test_every_requirement_is_pinned_and_hashed(self, run, lock):
        blocks = run.requirement_blocks(lock)
        assert len(blocks) > 20
        assert all("==" in block.splitlines()[0] and "--hash=sha256:" in block for block in blocks)

    def test_no_address_and_no_folder_stands_in_them(self, lock):
        assert not [line for line in lock.splitlines() if "://" in line or "--index" in line or " /" in line]

    def test_both_ends_of_python_have_their_jax(self, lock):
        jax = [line for line in lock.splitlines() if line.startswith("jax==")]
        assert len(jax) == 2
        assert jax[0].startswith("jax==0.10.2 ; python_full_version < '3.12'")

    def test_the_test_lock_holds_all_of_the_other(self, run):
        plain, tested = (
            run.requirement_blocks((ROOT / name).read_text("utf-8")) for name in (run.RUN_LOCK, run.TEST_LOCK)
        )
        assert set(plain) < set(tested)

    def test_blocks_keep_their_hashes_and_lose_the_comments(self, run):
        first = "a==1 \\\n    --hash=x \\\n    --hash=y"
        second = "uv==2 ; sys_platform == 'linux' \\\n    --hash=z"
        assert run.requirement_blocks(f"# made by a tool\n{first}\n    # via b\n{second}\n") == [first, second]


class TestRemedies:
    # Lines as pip 23 to 26, uv 0.13 and venv print them.
    OUTPUTS = (
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("The virtual environment was not created successfully because ensurepip is not available.", "venv module"),
        ("/usr/bin/python3: No module named venv", "venv module"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError('<pip._vendor...", "cannot be reached"),
        (
            "error: Failed to fetch: `x`\n  cause: dns error\nNo matching distribution found for jax",
            "cannot be reached",
        ),
        ("ERROR: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("  cause: invalid peer certificate: UnknownIssuer\n  error sending request", "certificate"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one in the lock"),
        ("ERROR: No matching distribution found for jaxlib==0.12.0.1", "no ready-made build"),
        ("error: failed to create directory: Permission denied (os error 13)", "no permission"),
        ("[Errno 30] Read-only file system: '.venv'", "no permission"),
    )

    @pytest.mark.parametrize(("output", "what"), OUTPUTS)
    def test_known_failures_are_told_by_name(self, run, output, what):
        trouble = run.trouble_from_output(output)
        assert what in trouble.what
        assert trouble.remedy.endswith((".", run.ROOT))
        assert "\n" not in trouble.what + trouble.remedy

    def test_an_unknown_failure_shows_the_end_of_the_log(self, run, monkeypatch):
        monkeypatch.setattr(run, "SCRAP", 0)
        trouble = run.trouble_from_output("\n".join(f"line {i}" for i in range(100)) + "\nWARNING: Location ignored\n")
        assert trouble.log.splitlines()[-1] == "line 99"
        assert len(trouble.log.splitlines()) == 8

    def test_silence_on_a_full_disk_is_a_full_disk(self, run, monkeypatch):
        monkeypatch.setattr(run, "SCRAP", 1 << 80)
        assert run.trouble_from_output("").what == "The disk is full."

    @pytest.mark.parametrize(
        ("number", "what"), [(errno.ENOSPC, "disk"), (errno.EACCES, "permission"), (errno.EROFS, "permission")]
    )
    def test_the_operating_systems_refusals_have_remedies(self, run, number, what):
        assert what in run.trouble_from_os(OSError(number, os.strerror(number), "x")).what

    def test_a_network_failure_of_uv_lets_pip_try(self, run):
        cause = run.cause_of("error sending request")
        assert cause.stops_pip
        assert not cause.stops_uv
        assert run.cause_of("No space left on device").stops_uv

    @given(st.text())
    def test_any_output_has_a_remedy(self, run, text):
        trouble = run.trouble_from_output(text)
        assert trouble.what
        assert trouble.remedy

    def test_trouble_is_two_lines_and_no_traceback(self, run, capsys, monkeypatch):
        def command(arguments):
            raise run.Trouble("It broke.", "Mend it.")

        monkeypatch.setitem(run.COMMANDS, "demo", command)
        monkeypatch.setattr(run.signal, "signal", lambda *_: None)
        assert run.main(["demo"]) == 1
        assert capsys.readouterr().err == "It broke.\nMend it.\n"

    def test_an_interruption_is_quiet(self, run, capsys, monkeypatch):
        def command(arguments):
            raise KeyboardInterrupt

        monkeypatch.setitem(run.COMMANDS, "demo", command)
        monkeypatch.setattr(run.signal, "signal", lambda *_: None)
        assert run.main(["demo"]) == 130
        assert capsys.readouterr().err == "\nStopped.\n"

    @pytest.mark.parametrize(("arguments", "code"), [([], 2), (["nonsense"], 2), (["--help"], 0)])
    def test_usage(self, run, capsys, arguments, code):
        assert run.main(arguments) == code
        out, err = capsys.readouterr()
        assert "run.py demo" in (err if code else out)


class TestChildren:
    def test_they_do_not_inherit_other_packages_or_settings(self, run):
        inherited = {"PATH": "/bin", "PYTHONPATH": "/x", "VIRTUAL_ENV": "/v", "PIP_TARGET": "/t", "PYTHONHOME": "/h"}
        kept = {"PIP_INDEX_URL": "mirror", "UV_CACHE_DIR": "/c", "PYTHONUTF8": "1"}
        assert run.clean_environment({**inherited, **kept}) == {"PATH": "/bin", **kept}

    def test_tests_run_on_the_cpu_whatever_the_user_set(self, run, monkeypatch):
        monkeypatch.setenv("JAX_PLATFORMS", "cuda")
        monkeypatch.setenv("JAX_ENABLE_X64", "1")
        settings = run.test_settings()
        assert settings["JAX_PLATFORMS"] == "cpu"
        assert "JAX_ENABLE_X64" not in settings

    def test_exit_codes_come_through(self, run):
        assert run.call([sys.executable, "-c", "raise SystemExit(3)"]) == 3

    def test_a_child_that_does_not_stop_is_ended(self, run, monkeypatch):
        monkeypatch.setattr(run, "PATIENCE", 0.05)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        run.end(child)
        assert child.returncode not in (0, None)

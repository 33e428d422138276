#!/usr/bin/env python3
"""Runs continua on a machine that has nothing but a Python.

    python3 run.py demo              fit a model to the bundled lynx and hare record
    python3 run.py demo -o FOLDER    the same, and keep the report there; all arguments go to `continua fit`
    python3 run.py test              lint, types, import contracts, tests; all arguments go to pytest

The first run makes the environment .venv from a hashed lock with the newest Python found; later runs reuse it.
Standard library only, in syntax that Python 3.6 reads: an old Python still finds a newer one or says what is needed.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

ROOT = os.path.dirname(os.path.abspath(__file__))
NEWEST, OLDEST = 14, 11  # of Python 3: the locks are made and tested for these
RUN_LOCK, TEST_LOCK = "requirements.lock", "requirements-test.lock"  # the second holds all of the first
STAMP, LOG = "continua-stamp", "install.log"  # inside an environment
TEST_PROCESSES = 2  # of pytest-xdist; 0 runs the tests in one
# The shapes in the annotations are checked in the core tests alone: in all of them it would take a third more time.
SHAPES = "--jaxtyping-packages=continua,beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
SCRAP = 2**24  # bytes: a disk with less is full
PATIENCE = 2.0  # seconds that a child gets to end by itself
LABEL_WIDTH = 44

USAGE = "\n".join(str(__doc__).splitlines()[2:5])


class Trouble(Exception):
    """Something a user can mend: what happened, the one-line remedy, and the end of the log where there is one."""

    def __init__(self, what: str, remedy: str, log: str = "") -> None:
        super().__init__(what)
        self.what, self.remedy, self.log = what, remedy, log


class NoPython(Trouble):
    """No Python here that would do."""


class Python(NamedTuple):
    """A Python that started when it was asked to."""

    path: str
    version: Tuple[int, ...]
    has_venv: bool

    @property
    def name(self) -> str:
        """Its version as people write it, such as 3.13.0."""
        return ".".join(str(part) for part in self.version)


class Cause(NamedTuple):
    """A known failure: the words that give it away in an installer's output, what it is, and the remedy."""

    signs: Tuple[str, ...]
    what: str
    remedy: str
    stops_pip: bool = True  # pip would fail again, whatever it is asked to install
    stops_uv: bool = False  # and so would pip after uv


CAUSES = (
    Cause(
        ("No space left on device", "Disk quota exceeded", "os error 28", "Errno 28", "not enough space on the disk"),
        "The disk is full.",
        "Free about 2 GB (packages and the installer's cache), then run this again.",
        stops_uv=True,
    ),
    Cause(
        ("ensurepip is not available", "No module named venv", "No module named ensurepip"),
        "This Python came without its venv module.",
        "Install it (Debian, Ubuntu: sudo apt install python3-venv), then run this again.",
    ),
    Cause(
        ("CERTIFICATE_VERIFY_FAILED", "UnknownIssuer", "invalid peer certificate"),
        "The package index shows a certificate that this machine does not trust.",
        "Set SSL_CERT_FILE and PIP_CERT to your network's certificate file, then run this again.",
    ),
    Cause(
        (
            "NewConnectionError",
            "Failed to establish a new connection",
            "NameResolutionError",
            "name resolution",
            "Name or service not known",
            "getaddrinfo failed",
            "nodename nor servname",
            "Network is unreachable",
            "Connection refused",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "Read timed out",
            "ProxyError",
            "error sending request",
            "dns error",
            "tcp connect error",
            "operation timed out",
            "Failed to fetch",
        ),
        "The package index cannot be reached.",
        "Check the network (behind a proxy set HTTPS_PROXY; for a mirror set PIP_INDEX_URL), then run this again.",
    ),
    Cause(
        ("DO NOT MATCH THE HASHES", "Hash mismatch"),
        "A downloaded package is not the one in the lock.",
        "Run this again; if it stays, the mirror or proxy in between changes files: use another.",
    ),
    Cause(
        ("No matching distribution found", "no wheels with a matching", "no usable wheels", "not a supported wheel"),
        "A package has no ready-made build for this machine and Python.",
        "Use a 64-bit Linux, macOS (Apple silicon) or Windows with a Python from 3.11 to 3.14.",
        stops_pip=False,
    ),
    Cause(
        ("Permission denied", "Errno 13", "os error 13", "Read-only file system", "Errno 30", "os error 30"),
        "There is no permission to write in this folder.",
        "Copy the project to a folder of your own and run it there: " + ROOT,
        stops_uv=True,
    ),
)
UNKNOWN = Cause(
    (), "The installation failed.", "Mend what the end of the log says, then run this again.", stops_pip=False
)


# ---------------------------------------------------------------------------------------------- what is being said


def say(text: str) -> None:
    """One line for the reader, at once and in order with what the children print."""
    print(text, flush=True)


@contextlib.contextmanager
def timed(label: str) -> Iterator[None]:
    """Says what is being done and, when it is done, its seconds on the same line."""
    print("  " + label.ljust(LABEL_WIDTH), end="", flush=True)
    start = time.time()
    try:
        yield
    except Exception:
        say("   failed")
        raise
    except BaseException:
        say("  stopped")
        raise
    say("{:7.1f} s".format(time.time() - start))


def cause_of(text: str) -> Cause:
    """The known failure whose signs stand in an installer's output."""
    lowered = text.lower()
    for cause in CAUSES:
        if any(sign.lower() in lowered for sign in cause.signs):
            return cause
    return UNKNOWN


def trouble_from_output(text: str) -> Trouble:
    """An installer's output as a failure with its remedy."""
    cause = cause_of(text)
    if cause is UNKNOWN and shutil.disk_usage(ROOT).free < SCRAP:
        cause = CAUSES[0]  # on a full disk the log is empty too
    return Trouble(cause.what, cause.remedy, log_tail(text))


def trouble_from_os(error: OSError) -> Trouble:
    """What the operating system refused, as a failure with its remedy."""
    cause = cause_of("Errno {} {}".format(error.errno, error.strerror))
    if cause is UNKNOWN:
        return Trouble(str(error), "Mend that, then run this again.")
    return Trouble(cause.what, cause.remedy, str(error))


def log_tail(text: str, lines: int = 8) -> str:
    """The last lines of an installer's output, without its warnings about itself."""
    noise = re.compile(r"^\s*(WARNING: |DEPRECATION|\[notice\]|Ignoring |Requirement already satisfied|$)")
    return "\n".join([line for line in text.splitlines() if not noise.match(line)][-lines:])


# ------------------------------------------------------------------------------------------------- running others


def clean_environment(inherited: Dict[str, str]) -> Dict[str, str]:
    """The user's environment without what would lead a child to other packages, folders or settings."""
    kept = {"PYTHONUTF8", "PYTHONIOENCODING", "PYTHONUNBUFFERED"}
    dropped = {"VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    dropped |= {"PIP_REQUIRE_HASHES", "PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_DRY_RUN", "UV_PYTHON", "UV_SYSTEM_PYTHON"}
    dropped |= {"UV_TARGET", "UV_PREFIX", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_NO_BINARY", "UV_EXCLUDE_NEWER"}
    return {
        name: value
        for name, value in inherited.items()
        if name in kept or not (name.startswith(("PYTHON", "PYRIGHT_PYTHON_", "PYTEST_")) or name in dropped)
    }


def call(command: Sequence[str], **options: object) -> int:
    """Runs a command to its end and gives its exit code; an interruption ends the child as well."""
    options.setdefault("env", clean_environment(dict(os.environ)))
    child = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        code = child.wait()
    except BaseException:
        end(child)
        raise
    return code if code >= 0 else 128 - code


def end(child: "subprocess.Popen[bytes]") -> None:
    """Waits for a child that heard the interruption too, and stops one that did not."""
    for stop in (child.terminate, child.kill):
        try:
            child.wait(PATIENCE)
            return
        except subprocess.TimeoutExpired:
            stop()
    child.wait()


def call_logged(command: Sequence[str], log: str) -> Tuple[int, str]:
    """Runs a command with its output appended to a log: its exit code and that output."""
    with open(log, "ab+") as stream:
        start = stream.seek(0, os.SEEK_END)
        code = call(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT)
        stream.seek(start)
        return code, stream.read().decode("utf-8", "replace")


# --------------------------------------------------------------------------------------------- the choice of Python

PROBE = """
import sys
try:
    import ensurepip, venv
    has_venv = 1
except ImportError:
    has_venv = 0
print(*sys.version_info[:3], has_venv, sys.executable)
"""


def probe(path: str) -> Optional[Python]:
    """Starts a Python and asks it who it is; None where it does not start (a pyenv shim may refuse)."""
    try:
        child = subprocess.run(
            [path, "-I", "-c", PROBE], check=False, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return read_probe(child.stdout.decode("utf-8", "replace")) if child.returncode == 0 else None
    except (OSError, subprocess.SubprocessError):
        return None


def read_probe(output: str) -> Optional[Python]:
    """What PROBE printed, as a Python."""
    found = re.match(r"(\d+) (\d+) (\d+) ([01]) (.+)", output.strip())
    if not found:
        return None
    return Python(found.group(5), tuple(int(part) for part in found.groups()[:3]), found.group(4) == "1")


def on_path(name: str) -> List[str]:
    """Every program of this name on PATH, not only the first: that may be a shim that refuses."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    paths = [shutil.which(name, path=folder) for folder in folders if folder]
    return [path for path in paths if path]


def in_pyenv(minor: int) -> List[str]:
    """The Pythons 3.minor that pyenv has installed, newest first."""
    versions = os.path.join(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"), "versions")
    names = os.listdir(versions) if os.path.isdir(versions) else []
    patches = [int(name.split(".")[2]) for name in names if re.match(r"3\.{}\.\d+$".format(minor), name)]
    return [os.path.join(versions, "3.{}.{}".format(minor, patch), "bin", "python") for patch in sorted(patches)[::-1]]


def candidates(minors: Iterable[int]) -> Iterator[str]:
    """Where a Python 3.minor may be, in the order of the minors; the running one counts as one of its own."""
    for minor in minors:
        for path in on_path("python3.{}".format(minor)) + in_pyenv(minor):
            yield path
        if sys.version_info[:2] == (3, minor):
            yield sys.executable


def started(paths: Iterable[str]) -> Iterator[Python]:
    """The Pythons among the paths that start, each path tried once."""
    tried = set()
    for path in paths:
        if path not in tried:
            tried.add(path)
            python = probe(path)
            if python:
                yield python


def choose(pythons: Iterable[Python]) -> Python:
    """The first Python that is new enough and can make an environment."""
    without_venv = None
    for python in pythons:
        if python.version < (3, OLDEST):
            continue
        if python.has_venv:
            return python
        without_venv = without_venv or python
    if without_venv:
        minor = without_venv.version[1]
        raise NoPython(
            "Python {} is here, but without its venv module.".format(without_venv.name),
            "Install it (Debian, Ubuntu: sudo apt install python3.{}-venv), then run this again.".format(minor),
        )
    raise NoPython(
        "This is Python {}; continua needs 3.{} or newer, and none starts.".format(sys.version.split()[0], OLDEST),
        "Install Python 3.{} (your system's packages, python.org or pyenv), then run this again.".format(NEWEST - 1),
    )


def find_python(minors: Sequence[int] = ()) -> Python:
    """The newest usable Python of this machine, or the first usable one of the minors."""
    if minors:
        return choose(python for python in started(candidates(minors)) if python.version[1] in minors)
    return choose(started([*candidates(range(NEWEST, OLDEST - 1, -1)), sys.executable]))


def other_minors(minor: int) -> List[int]:
    """The other end of the supported range: the oldest beside a newer Python, the newest first beside the oldest."""
    return [OLDEST] if minor > OLDEST else list(range(NEWEST, OLDEST, -1))


# --------------------------------------------------------------------------------------------------- environments


class Environment:
    """A virtual environment of this project, which a stamp says to be complete.

    The stamp holds the fingerprint of what was installed. It is written last: an environment without a valid stamp was
    interrupted, or belongs to another lock, Python or folder, and is made anew. While test packages are being added to
    a complete environment the stamp carries ADDING: it still serves `demo`, but `test` makes it anew.
    """

    MAKING, ADDING = "making", " adding"

    def __init__(self, name: str) -> None:
        """An environment in the folder `name` of the project, made or not."""
        self.name = name
        self.folder = os.path.join(ROOT, name)
        self.log = os.path.join(self.folder, LOG)
        self.python = probe(self.program("python")) if self.stamp else None  # the one inside, if it starts

    def program(self, name: str) -> str:
        """The path of a program in the environment."""
        return os.path.join(self.folder, *(("Scripts", name + ".exe") if os.name == "nt" else ("bin", name)))

    @property
    def stamp(self) -> str:
        """What the stamp says; empty where there is none."""
        return read(os.path.join(self.folder, STAMP), missing_ok=True)

    @stamp.setter
    def stamp(self, text: str) -> None:
        with open(os.path.join(self.folder, STAMP), "w", encoding="utf-8") as stream:
            stream.write(text)

    def state(self, lock: str, minors: Sequence[int] = ()) -> str:
        """How far it serves a lock: "complete", "extendable" (holds the run-time packages only) or "unusable"."""
        if self.python is None or (minors and self.python.version[1] not in minors):
            return "unusable"
        tested, plain = fingerprint(TEST_LOCK, self.python.name), fingerprint(RUN_LOCK, self.python.name)
        stamp = self.stamp
        if stamp == tested or (lock == RUN_LOCK and stamp in (plain, plain + self.ADDING)):
            return "complete"
        return "extendable" if stamp == plain else "unusable"

    def clear(self) -> None:
        """Removes what is there, if it is an environment."""
        if not os.path.lexists(self.folder):
            return
        is_ours = self.stamp or os.path.exists(os.path.join(self.folder, "pyvenv.cfg"))
        if not is_ours and (not os.path.isdir(self.folder) or os.listdir(self.folder)):
            raise Trouble("{} is no Python environment.".format(self.folder), "Move it away, then run this again.")
        with timed("unfinished or outdated {} removed".format(self.name)):
            shutil.rmtree(self.folder)

    def make(self, python: Python, lock: str) -> None:
        """Makes the environment from nothing and fills it from the lock."""
        self.clear()
        os.makedirs(self.folder)
        self.stamp = self.MAKING
        with timed("environment {} with Python {}".format(self.name, python.name)):
            self.require([python.path, "-m", "venv", self.folder])
        self.python = python
        self.fill(lock, python.name)

    def fill(self, lock: str, python: str) -> None:
        """Installs the lock and the project; the stamp comes last."""
        has_uv = os.path.exists(self.program("uv")) or self.install_uv(lock)
        with_uv = has_uv and self.install_with_uv(lock)
        if not with_uv:
            with timed("packages, with pip (a few minutes)"):
                self.require([*self.pip(), *HASHED, "-r", self.lock_part(lock, uv=False)])
        with timed("continua {}".format(project_version())):
            installer = self.uv_pip() if with_uv else self.pip()
            self.require([*installer, "--no-deps", "--no-build-isolation", "--editable", ROOT])
        self.stamp = fingerprint(lock, python)

    def install_uv(self, lock: str) -> bool:
        """Installs uv by pip: whether there is one for this machine."""
        with timed("installer uv"):
            code, text = call_logged([*self.pip(), *HASHED, "-r", self.lock_part(lock, uv=True)], self.log)
            if code and cause_of(text).stops_pip:
                raise trouble_from_output(text)
        if code:
            say("    there is no uv for this machine; pip does its work")
        return code == 0

    def install_with_uv(self, lock: str) -> bool:
        """Installs a lock by uv: whether it could; a failure that pip would meet too is raised."""
        with timed("packages"):
            code, text = call_logged([*self.uv_pip(), *HASHED, "-r", os.path.join(ROOT, lock)], self.log)
            if code and cause_of(text).stops_uv:
                raise trouble_from_output(text)
        if code:
            say("    uv failed ({}) and pip takes over".format(cause_of(text).what.rstrip(".")))
        return code == 0

    def lock_part(self, lock: str, uv: bool) -> str:
        """The path of a file with the lock's block of uv alone, or of all the others."""
        blocks = requirement_blocks(read(os.path.join(ROOT, lock)))
        path = os.path.join(self.folder, "uv.lock" if uv else "packages.lock")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("\n".join(block for block in blocks if block.startswith("uv==") == uv) + "\n")
        return path

    def pip(self) -> List[str]:
        """The start of a pip command line."""
        quiet = ["--disable-pip-version-check", "--no-input", "--retries", "2", "--progress-bar", "off"]
        return [self.program("python"), "-m", "pip", "install", *quiet]

    def uv_pip(self) -> List[str]:
        """The start of a uv command line that does the same."""
        quiet = ["--no-progress", "--no-python-downloads", "--system-certs"]
        return [self.program("uv"), "pip", "install", *quiet, "--python", self.program("python")]

    def require(self, command: Sequence[str]) -> None:
        """Runs a command that has to succeed."""
        code, text = call_logged(command, self.log)
        if code:
            raise trouble_from_output(text)


HASHED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")


def read(path: str, missing_ok: bool = False) -> str:
    """The text of a file; with missing_ok, empty where there is none."""
    if missing_ok and not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def requirement_blocks(lock: str) -> List[str]:
    """A lock's requirements, each with its hash lines."""
    lines = [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return re.findall(r"^\S.*(?:\n\s.*)*", "\n".join(lines), flags=re.MULTILINE)


def project_table() -> str:
    """The [project...] tables of pyproject.toml as they are written: what an installed project depends on."""
    tables = re.findall(r"^\[.*(?:\n(?!\[).*)*", read(os.path.join(ROOT, "pyproject.toml")), flags=re.MULTILINE)
    return "\n".join(table for table in tables if re.match(r"\[(project|build-system|tool\.hatch)[\].]", table))


def project_version() -> str:
    """The version in pyproject.toml."""
    found = re.search(r'^version = "(.+)"', project_table(), flags=re.MULTILINE)
    return found.group(1) if found else "unknown"


def fingerprint(lock: str, python: str) -> str:
    """What an environment was made from, in short: lock, project, Python and the folder, for it cannot be moved."""
    parts = (read(os.path.join(ROOT, lock)), project_table(), python, ROOT)
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lets one run.py at a time prepare environments here."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run.py is preparing this folder; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:  # a network folder that knows no locks
            pass
        yield
    finally:
        os.close(handle)


def prepare(name: str, lock: str, minors: Sequence[int] = ()) -> Environment:
    """The environment of this name, complete for the lock; made, mended or extended where it is not.

    Args:
        name: its folder.
        lock: the file of what has to be in it.
        minors: the Pythons 3.minor that will do, best first; by default the newest usable one.

    Returns:
        The environment.
    """
    with alone():
        environment = Environment(name)
        state = environment.state(lock, minors)
        if environment.python and state == "extendable":
            say("Adding the test packages to {} (Python {})".format(name, environment.python.name))
            environment.stamp += Environment.ADDING
            environment.fill(lock, environment.python.name)
        elif state == "unusable":
            python = find_python(minors)
            say("Preparing {} with {}, Python {}".format(name, python.path, python.name))
            environment.make(python, lock)
    return environment


# ------------------------------------------------------------------------------------------------------ the commands


def demo(arguments: Sequence[str]) -> int:
    """Fits a model to the bundled record, in the folder where the user stands."""
    environment = prepare(".venv", RUN_LOCK)
    announce(environment)
    again = [] if "--force" in arguments else ["--force"]  # a demo replaces the report of the last one
    return call([environment.program("continua"), "fit", *again, *arguments])


def announce(environment: Environment) -> None:
    """Says which Python is about to run what."""
    python = environment.python.name if environment.python else "?"
    say("continua {} on Python {} ({})".format(project_version(), python, environment.name))


def test(arguments: Sequence[str]) -> int:
    """Checks everything, cheapest first; stops at the first check that fails."""
    environment = prepare(".venv", TEST_LOCK)
    announce(environment)
    for label, command in checks(environment):
        if not check(label, command):
            return 1
    if not run_tests("tests", environment, arguments):
        return 1
    if arguments:
        say("Skipped: the core tests with their shapes checked, since arguments were given.")
        return 0
    return test_core(environment)


def checks(environment: Environment) -> List[Tuple[str, List[str]]]:
    """The checks that need no test run, by their names."""
    python = environment.program("python")
    return [
        ("lint", [python, "-m", "ruff", "check", "--quiet", "."]),
        ("format", [python, "-m", "ruff", "format", "--check", "--quiet", "."]),
        ("types", [python, "-m", "pyright", "--pythonpath", python]),
        ("import contracts", [environment.program("lint-imports"), "--no-cache", "--no-logo"]),
    ]


def test_settings() -> Dict[str, str]:
    """The environment variables of every check: the tests run on the CPU, with no settings of the user's."""
    environment = clean_environment(dict(os.environ))
    settings = {name: value for name, value in environment.items() if not name.startswith(("JAX_", "XLA_"))}
    settings.update(JAX_PLATFORMS="cpu", PYRIGHT_PYTHON_IGNORE_WARNINGS="1")  # or pyright asks for its newest version
    return settings


def check(label: str, command: Sequence[str]) -> bool:
    """Whether a check passes; its output is shown only if it does not."""
    output = ""
    try:
        with timed(label):
            options = {"cwd": ROOT, "env": test_settings(), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            child = subprocess.run(command, check=False, **options)
            output = child.stdout.decode("utf-8", "replace")
            if child.returncode:
                raise Trouble(label, "")
    except Trouble:
        say(output.rstrip())
        say("Failed: {}".format(label))
        return False
    return True


def run_tests(label: str, environment: Environment, arguments: Sequence[str], **settings: str) -> bool:
    """Whether the tests pass with these environment variables too; their output is shown as it comes."""
    # Each process gets tests that stand together, which share fitted models and programs; the faster one takes over.
    processes = ["-n", str(TEST_PROCESSES), "--dist", "worksteal"] if TEST_PROCESSES else []
    command = [environment.program("python"), "-m", "pytest", "-q", *processes, *arguments]
    say("  " + label)
    start = time.time()
    code = call(command, cwd=ROOT, env=dict(test_settings(), **settings))
    say("  {}{:7.1f} s".format(label.ljust(LABEL_WIDTH), time.time() - start))
    if code:
        say("Failed: {}".format(label))
    return code == 0


def test_core(main: Environment) -> int:
    """Runs the core tests with their shapes checked, on a Python from the other end of the supported range if any."""
    minor = main.python.version[1] if main.python else NEWEST
    try:
        environment = prepare(".venv-other", TEST_LOCK, other_minors(minor))
    except NoPython:
        wanted = "3.{}".format(OLDEST) if minor > OLDEST else "newer than 3.{}".format(OLDEST)
        say("No Python {} starts here: the core tests run on this one again, with their shapes checked.".format(wanted))
        environment = main
    label = "core tests on Python {}".format(environment.python.name if environment.python else "?")
    optimised = {"XLA_FLAGS": ""}  # as users have it; the other tests do without, see tests/conftest.py
    return 0 if run_tests(label, environment, ["-m", "core", SHAPES], **optimised) else 1


COMMANDS = {"demo": demo, "test": test}


def report(trouble: Trouble) -> int:
    """Tells a failure and its remedy: the exit code."""
    sys.stdout.flush()
    if trouble.log:
        print(trouble.log, file=sys.stderr)
    print("{}\n{}".format(trouble.what, trouble.remedy), file=sys.stderr)
    return 1


def stop(*_: object) -> None:
    """Ends as if by Ctrl-C when another program asks for it, so that the children end too."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    """Runs the command that was asked for: the exit code."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        asked_for_help = bool(arguments) and arguments[0] in ("-h", "--help", "help")
        print(USAGE, file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    signal.signal(signal.SIGTERM, stop)
    try:
        return command(arguments[1:])
    except Trouble as trouble:
        return report(trouble)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return report(trouble_from_os(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a user can import is what the documentation lists, and importing it is cheap."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import continua

REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"
PACKAGES = [
    "continua",
    "continua.calculus",
    "continua.equations",
    "continua.methods",
    "continua.space",
    "continua.solver",
    "continua.optim",
    "continua.models",
    "continua.train",
    "continua.estimators",
    "continua.stability",
    "continua.discovery",
]


def documented(package: str) -> set[str]:
    """The names that the reference lists for a package."""
    sections = re.split(r"^## ", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(s for s in sections if s.startswith(f"`{package}`"))
    return set(re.findall(r"`(\w+)`", section.partition("\n")[2]))


@pytest.mark.core
@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_documented_and_described(package):
    module = importlib.import_module(package)
    assert set(module.__all__) == documented(package)
    for name in module.__all__:
        if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name)):
            assert getattr(module, name).__doc__, name


@pytest.mark.core
def test_importing_loads_nothing_heavy_and_changes_no_setting():
    heavy = "{'scipy', 'sklearn', 'polars', 'matplotlib', 'cyclopts', 'rich', 'sympy'}"
    code = (
        "import sys, jax; before = dict(jax.config.values); alone = set(sys.modules); import continua; "
        f"new = {{m.partition('.')[0] for m in set(sys.modules) - alone}}; print(sorted({heavy} & new)); "
        "assert jax.config.values == before"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[0] == "[]"


@pytest.mark.core
def test_every_name_and_room_is_there_when_it_is_asked_for():
    code = (
        "import sys, continua; assert 'jax' not in sys.modules; assert set(continua.__all__) <= set(dir(continua)); "
        "rooms = continua.methods.Tsit5, continua.equations.LotkaVolterra, continua.stability.cycle; "
        "print(*(one.__name__ for one in rooms)); "
        "print(*(getattr(continua, name).__name__ for name in sorted(continua.__all__)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rooms, names = run.stdout.strip().split("\n")
    assert rooms == "Tsit5 LotkaVolterra cycle"
    assert names.split() == sorted(continua.__all__)
    with pytest.raises(AttributeError, match="no attribute 'sovle'"):
        _ = continua.sovle

"""Equations in a TOML file: a candidate for `fit`, with the units and starting values of its parameters."""

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continua.core import ArgumentError, ArgumentTypeError, instead
from continua.equations.written import STAND_IN, Written
from continua.show import CONSTANTS, Expression, Kind, is_word, kinds_of, names_in, parse, printable

LARGEST_FILE = 100_000  # bytes; a system of twenty states has about two thousand
MOST_NAMES = 500  # states, inputs and parameters together
LONGEST_TITLE = 200
LARGEST_NUMBER = 1e300

# tomllib takes time quadratic in the length of a dotted key, a minute for 40 kB. A key that is meant has 3 parts.
DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){30}")
DOTTED_QUOTES = re.compile(r"[\"'][ \t]*+\.|\.[ \t]*+[\"']")
MOST_DOTTED_QUOTES = 200

FIELDS = ("title", "equations", "parameters", "inputs")
PARAMETER_FIELDS = ("start", "value", "unit", "positive")


@dataclass(frozen=True)
class WrittenParameter:
    """What a file says about a parameter.

    Args:
        name: as it stands in the equations.
        start: its value, from which a search may start; 1.0 where none was given.
        unit: as written, or "".
        positive: whether only positive values make sense.
        fixed: whether it keeps its value (`value = …` in the file).
        free: whether no value was given.
    """

    name: str
    start: float = STAND_IN
    unit: str = ""
    positive: bool = False
    fixed: bool = False
    free: bool = True


@dataclass(frozen=True)
class WrittenSystem:
    """A system of equations as a file gives it.

    Args:
        title: what it is called.
        states: their names, in the order of the file.
        sides: one tree for each state, of its slope.
        parameters: in the order of the file, or of their first occurrence where the file lists none.
        inputs: the names of what drives the system from outside.
    """

    title: str
    states: tuple[str, ...]
    sides: tuple[Expression, ...]
    parameters: tuple[WrittenParameter, ...]
    inputs: tuple[str, ...] = ()

    def equation(self, values: Mapping[str, Any] | None = None) -> Written:
        """The equation, with other values for some of the parameters that are not fixed.

        Args:
            values: scalars by name.

        Raises:
            ArgumentError: a name is none of its parameters, or a fixed one.
        """
        written = Written(
            states=self.states,
            sides=self.sides,
            parameters={p.name: p.start for p in self.parameters if not p.fixed},
            constants=tuple((p.name, p.start) for p in self.parameters if p.fixed),
            inputs=self.inputs,
            free=tuple(p.name for p in self.parameters if p.free),
        )
        return written.with_parameters(values) if values else written


def read_equation(source: str | os.PathLike[str]) -> WrittenSystem:
    r"""Read a system of equations from a TOML file, or from its text. Nothing in it is executed.

    ```toml
    title = "crowded prey"          # optional
    inputs = ["harvest"]            # optional

    [equations]                     # the slope of each state; the grammar is that of `parse`, the time is t
    hare = "a*hare*(1 - hare/K) - b*hare*lynx - harvest"
    lynx = "d*hare*lynx - g*lynx"

    [parameters]                    # optional; without it every other name is a free parameter
    a = { start = 0.5, unit = "1/year", positive = true }
    K = { start = 100.0 }
    b = { value = 0.02 }            # kept fixed
    d = 0.02                        # short for { start = 0.02 }
    g = {}                          # free
    ```

    Args:
        source: a path; or the text itself, which is a str of several lines.

    Raises:
        DataError: the file cannot be read, is no such TOML, or an equation in it is not in the grammar; one line with
            the file, the field and the remedy.
        ArgumentTypeError: `source` is neither.

    Example:
        >>> system = read_equation('[equations]\nx = "-k*x"\n[parameters]\nk = {start = 0.5, unit = "1/s"}')
        >>> system.parameters
        (WrittenParameter(name='k', start=0.5, unit='1/s', positive=False, fixed=False, free=False),)
        >>> print(system.equation())
        d x/dt = -k*x
    """
    from continua.files import DataError

    if not isinstance(source, str | os.PathLike):
        raise ArgumentTypeError(
            f"`source` of `read_equation` must be a path or text. Got {type(source).__name__}. Use a TOML file."
        )
    is_text = isinstance(source, str) and ("\n" in source or "\r" in source)
    where = "the text" if is_text else printable(Path(source).name)[:60] or "the file"
    try:
        return _system(_tables(source if isinstance(source, str) and is_text else _content(source)))
    except ArgumentError as error:
        raise DataError(f"{where}: {error}") from None


def _content(path: str | os.PathLike[str]) -> str:
    """The text of a regular file of no more than the largest size."""
    try:
        file = Path(path).expanduser()
        if not stat.S_ISREG(file.stat().st_mode):
            raise ArgumentError("An equation must be in a regular file. Got a folder or a device. Use a TOML file.")
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ArgumentError("There is no such file. Use the path of a TOML file, or its text.") from None
    except (OSError, RuntimeError, UnicodeError) as error:  # RuntimeError: no home folder
        reason = printable(getattr(error, "strerror", None) or str(error))
        raise ArgumentError(f"It cannot be read: {reason}. Use the path of a TOML file.") from None
    except ValueError as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError("No file can have such a name. Use the path of a TOML file.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArgumentError(f"It is not UTF-8 text at byte {error.start}. Save it as TOML in UTF-8.") from None


def _tables(text: str) -> dict[str, Any]:
    """The tables of a TOML text."""
    if len(text) > LARGEST_FILE:
        raise ArgumentError(f"It is larger than {LARGEST_FILE} bytes. Use a file with equations only.")
    if DOTTED.search(text) or len(DOTTED_QUOTES.findall(text)) > MOST_DOTTED_QUOTES:
        raise ArgumentError('Its keys have too many dots. Use [equations] and lines such as x = "a*x".')
    try:
        return tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else printable(str(error))[:200]
        raise ArgumentError(f'It is no TOML: {reason}. Use [equations] and lines such as x = "a*x".') from None


def _system(tables: dict[str, Any]) -> WrittenSystem:
    _check_fields(tables, FIELDS, "the file")
    title = _text_of(tables.get("title", ""), "title", LONGEST_TITLE)
    texts = _table_of(tables.get("equations", {}), "equations")
    if not texts:
        raise ArgumentError('`equations` must hold at least one. Got none. Use [equations] and x = "a*x".')
    inputs = tables.get("inputs", [])
    if not isinstance(inputs, list) or not all(isinstance(name, str) for name in inputs):
        raise ArgumentError(f'`inputs` must be a list of names. Got {_kind(inputs)}. Use inputs = ["u"].')
    given = _table_of(tables["parameters"], "parameters") if "parameters" in tables else None
    _check_names([*texts, *inputs, *(given or {})])
    sides = {state: _text_of(side, f"equations.{state}", LARGEST_FILE) for state, side in texts.items()}
    if given is None:
        given = {name: {} for name in _unnamed(sides, inputs)}
    kinds = kinds_of([*sides, *inputs], given)
    system = WrittenSystem(
        title=title or "written equation",
        states=tuple(sides),
        sides=tuple(_side(state, side, kinds) for state, side in sides.items()),
        parameters=tuple(_parameter(name, value) for name, value in given.items()),
        inputs=tuple(inputs),
    )
    system.equation()  # checks that the names fit
    return system


def _side(state: str, text: str, kinds: Mapping[str, Kind]) -> Expression:
    try:
        return parse(text, kinds)
    except ArgumentError as error:
        raise ArgumentError(f"`equations.{state}`, {error}") from None


def _unnamed(sides: Mapping[str, str], inputs: Iterable[str]) -> list[str]:
    """The names that stand neither for a state or input, nor for the time, nor for a constant."""
    taken = {*sides, *inputs, "t", *CONSTANTS}
    try:
        found = [name for side in sides.values() for name in names_in(side)]
    except ArgumentError:  # whoever reads the side says where
        return []
    return [name for name in dict.fromkeys(found) if name not in taken]


def _parameter(name: str, given: Any) -> WrittenParameter:
    place = f"parameters.{name}"
    fields = given if isinstance(given, dict) else {"start": given}
    _check_fields(fields, PARAMETER_FIELDS, f"`{place}`")
    if "start" in fields and "value" in fields:
        raise ArgumentError(f"`{place}` must have `start` or `value`. Got both. Use `value` only if it is to stay.")
    fixed = "value" in fields
    field = "value" if fixed else "start"
    start = _number_of(fields.get(field, STAND_IN), f"{place}.{field}")
    positive = fields.get("positive", False)
    if not isinstance(positive, bool):
        raise ArgumentError(f"`{place}.positive` must be true or false. Got {_kind(positive)}. Use true.")
    if positive and start <= 0.0:
        raise ArgumentError(f"`{place}.{field}` must be positive, as it says. Got {start!r}. Use a value above 0.")
    unit = _text_of(fields.get("unit", ""), f"{place}.unit", LONGEST_TITLE)
    return WrittenParameter(name, start, unit, positive, fixed, free=field not in fields)


def _check_fields(table: Mapping[str, Any], fields: tuple[str, ...], owner: str) -> None:
    unknown = next((name for name in table if name not in fields), None)
    if unknown is not None:
        known = instead(unknown, fields)
        raise ArgumentError(f"{owner[0].upper()}{owner[1:]} has no field `{printable(unknown[:40])}`. {known}")


def _check_names(names: list[str]) -> None:
    """Words of the grammar, each once, and not too many."""
    if len(names) > MOST_NAMES:
        raise ArgumentError(f"It may name {MOST_NAMES} states and parameters. Got {len(names)}. Use fewer.")
    wrong = next((name for name in names if not is_word(name)), None)
    if wrong is not None:
        raise ArgumentError(
            f"A name must be one word. Got `{printable(wrong[:40])}`. Use letters, digits and underscores."
        )


def _table_of(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ArgumentError(f"`{place}` must be a table. Got {_kind(value)}. Use [{place}] and a line for each.")
    return value


def _text_of(value: Any, place: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f'`{place}` must be text in quotes. Got {_kind(value)}. Use "…".')
    if len(value) > longest:
        raise ArgumentError(f"`{place}` may have {longest} characters. Got {len(value)}. Use fewer.")
    return printable(value) if longest == LONGEST_TITLE else value


def _number_of(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"`{place}` must be a number. Got {_kind(value)}. Use 1.0.")
    if not abs(value) < LARGEST_NUMBER:  # also for an int that no float can hold
        raise ArgumentError(f"`{place}` must be finite and below {LARGEST_NUMBER:g}. Use 1.0.")
    return float(value)


def _kind(value: Any) -> str:
    """How TOML calls a value's type."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "an array", dict: "a table"}
    return names.get(type(value), "a date or time")

"""Equations in a TOML file: a candidate for `fit`, with the units and starting values of its parameters."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continua.core import ArgumentError, ArgumentTypeError, instead
from continua.equations.written import STAND_IN, Written
from continua.files import LARGEST_FILE, DataError, is_text, toml_kind, toml_tables
from continua.show import CONSTANTS, Expression, Kind, is_word, kinds_of, names_in, parse, printable

MOST_NAMES = 500  # states, inputs and parameters together
LONGEST_TITLE = 200
LARGEST_NUMBER = 1e300

REMEDY = 'Use a file with [equations] and lines such as x = "a*x".'
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
    if not isinstance(source, str | os.PathLike):
        raise ArgumentTypeError(
            f"`source` of `read_equation` must be a path or text. Got {type(source).__name__}. Use a TOML file."
        )
    named = not (isinstance(source, str) and is_text(source))
    where = (printable(Path(source).name)[:60] or "the file") if named else "the text"
    try:
        return _system(toml_tables(source, REMEDY))
    except (ArgumentError, DataError) as error:
        raise DataError(f"{where}: {error}") from None


def _system(tables: dict[str, Any]) -> WrittenSystem:
    _check_fields(tables, FIELDS, "the file")
    title = _text_of(tables.get("title", ""), "title", LONGEST_TITLE)
    texts = _table_of(tables.get("equations", {}), "equations")
    if not texts:
        raise ArgumentError('`equations` must hold at least one. Got none. Use [equations] and x = "a*x".')
    inputs = tables.get("inputs", [])
    if not isinstance(inputs, list) or not all(isinstance(name, str) for name in inputs):
        raise ArgumentError(f'`inputs` must be a list of names. Got {toml_kind(inputs)}. Use inputs = ["u"].')
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
        raise ArgumentError(f"`{place}.positive` must be true or false. Got {toml_kind(positive)}. Use true.")
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
        raise ArgumentError(f"`{place}` must be a table. Got {toml_kind(value)}. Use [{place}] and a line for each.")
    return value


def _text_of(value: Any, place: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f'`{place}` must be text in quotes. Got {toml_kind(value)}. Use "…".')
    if len(value) > longest:
        raise ArgumentError(f"`{place}` may have {longest} characters. Got {len(value)}. Use fewer.")
    return printable(value) if longest == LONGEST_TITLE else value


def _number_of(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError(f"`{place}` must be a number. Got {toml_kind(value)}. Use 1.0.")
    if not abs(value) < LARGEST_NUMBER:  # also for an int that no float can hold
        raise ArgumentError(f"`{place}` must be finite and below {LARGEST_NUMBER:g}. Use 1.0.")
    return float(value)

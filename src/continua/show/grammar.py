"""The grammar in which equations are written. Text becomes a tree; it is never evaluated.

sum       product (("+" | "-") product)*
product   signed (("*" | "/") signed)*
signed    ("+" | "-") signed  |  power
power     atom (("**" | "^") signed)?
atom      number  |  name  |  "(" sum ")"  |  function "(" sum ("," sum)* ")"

Precedence is Python's: -x**2 is -(x**2), x**-1 and 2**3**2 = 2**9 are meant. · × ⋅ read as *, − as -.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from continua.core import ArgumentError, ArgumentTypeError, nearest
from continua.show.expression import (
    FUNCTIONS,
    Call,
    Expression,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    add,
    call,
    evaluate,
    multiply,
    power,
    substitute,
)

Kind = Literal["state", "time", "parameter"]
Names = Mapping[str, Kind] | Iterable[str]

LONGEST = 100_000  # characters
MOST_TOKENS = 5_000  # numbers, names and signs; a law of fifty terms has about three hundred
DEEPEST = (
    32  # nested brackets, signs and exponents: well within Python's recursion limit, here and where trees are shown
)
WINDOW = 20  # characters quoted on either side of an error

CONSTANTS = {"pi": math.pi, "e": math.e}
SYNONYMS = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sgn": "sign"}  # as `text` writes them
FUNCTION_NAMES = (*FUNCTIONS, "sqrt", *SYNONYMS)
SPELLINGS = str.maketrans("·×⋅∗−", "****-")
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"

TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d²³¹][^\W²³¹]*)"
    r"|(?P<sign>\*\*|[-+*/^(),])"
)


def parse(text: str, names: Names, *, time: str = "t") -> Expression:
    """An expression written by a person, as a tree.

    Args:
        text: for example `"a*x - b*x*y"`: numbers, names, `+ - * / ** ^`, parentheses, the constants `pi` and `e`, and
            the functions sin cos tan asin acos atan atan2 sinh cosh tanh exp log sqrt abs sign floor ceil min max.
        names: the names that may occur, with their kinds ("state", which is anything that varies, or "parameter");
            a plain list names states. They take precedence over constants and over the time.
        time: the name of the time.

    Returns:
        The tree, tidy as these are: numbers folded, x*x as x**2, x/x as 1.

    Raises:
        ArgumentError: the text is not in the grammar; the message quotes it and counts the column from 1.
        ArgumentTypeError: `text` is no string, or `names` is one.

    Example:
        >>> from continua.show.plain_text import text
        >>> text(parse("a*x − b·x*y^2", {"a": "parameter", "b": "parameter", "x": "state", "y": "state"}))
        'a x − b x·y²'
        >>> parse("x * * y", ["x", "y"])
        Traceback (most recent call last):
        continua.core.errors.ArgumentError: `x * * y`: expected a number, a name or `(` at column 5, got `*`. ...
    """
    return parse_from(text, 0, symbols_named(names, time))


def symbols_named(names: Names, time: str = "t") -> dict[str, Symbol]:
    """The symbols that may occur, by name."""
    if isinstance(names, str):
        raise ArgumentTypeError(f'`names` of `parse` must be several names. Got the text {names!r}. Use ["{names}"].')
    kinds: Mapping[str, Kind] = names if isinstance(names, Mapping) else dict.fromkeys(names, "state")
    return {time: Symbol(time, "time")} | {name: Symbol(name, kind) for name, kind in kinds.items()}


class Algebra(NamedTuple):
    """What is made of numbers, given as text, and of what stands between them."""

    number: Callable[[str], Any]
    add: Callable[..., Any]
    multiply: Callable[..., Any]
    power: Callable[[Any, Any], Any]
    call: Callable[..., Any]
    constants: Mapping[str, Any]


TREES = Algebra(
    lambda text: Number(float(text)),
    add,
    multiply,
    power,
    call,
    {name: Number(value) for name, value in CONSTANTS.items()},
)


def parse_into(algebra: Algebra, text: str, symbols: Mapping[str, Any]) -> Any:
    """The same in another algebra, after `parse` has found nothing wrong with the text."""
    parse(text, list(symbols))
    return _Parser(text, symbols, 0, algebra).whole()


def parse_from(text: str, start: int, symbols: Mapping[str, Symbol]) -> Expression:
    """The expression that stands in the text from a place on; columns count from the beginning of the text."""
    tree = _Parser(text, symbols, start, TREES).whole()
    while (tidier := substitute(tree, {})) != tree:
        tree = tidier
    _check_constants(tree, text)
    return tree


def kinds_of(varying: Iterable[str], parameters: Iterable[str]) -> dict[str, Kind]:
    """The kinds of names, as `parse` takes them."""
    kinds: dict[str, Kind] = dict.fromkeys(parameters, "parameter")
    varied: dict[str, Kind] = dict.fromkeys(varying, "state")
    return kinds | varied


def names_in(text: str, start: int = 0) -> list[str]:
    """The names that occur as values, not as functions, once each and in their order."""
    tokens = _tokens(text, start)
    following = [*tokens, _Token("end", "", 0)][1:]
    found = (a.text for a, b in zip(tokens, following, strict=True) if a.kind == "name" and b.text != "(")
    return list(dict.fromkeys(found))


def is_word(name: str) -> bool:
    """Whether the grammar reads it as one name."""
    found = TOKEN.match(name)
    return bool(found and found.lastgroup == "name" and found.end() == len(name))


def printable(text: str) -> str:
    """The text with whatever cannot be printed on one line replaced."""
    return "".join(c if c.isprintable() else "�" for c in text)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def _refusal(text: str, column: int, problem: str, remedy: str) -> ArgumentError:
    first, last = max(column - 1 - WINDOW, 0), column - 1 + WINDOW
    quoted = ("…" if first else "") + printable(text[first:last].strip()) + ("…" if last < len(text) else "")
    return ArgumentError(f"`{quoted}`: {problem}. {remedy}")


def _tokens(text: str, start: int) -> list[_Token]:
    """The numbers, names and signs of a text; anything else is refused."""
    if not isinstance(text, str):
        raise ArgumentTypeError(f'`text` of `parse` must be text. Got {type(text).__name__}. Use "a*x".')
    if len(text) - start > LONGEST:
        raise ArgumentError(f"An expression may have {LONGEST} characters. Got {len(text) - start}. Use fewer terms.")
    spelled = text.translate(SPELLINGS)
    tokens = []
    while start < len(spelled):
        found = TOKEN.match(spelled, start)
        if found:
            tokens.append(_Token(str(found.lastgroup), found[0], start + 1))
        elif spelled[start] not in " \t":
            raise _unknown_character(text, start)
        start = found.end() if found else start + 1
        if len(tokens) > MOST_TOKENS:
            problem = f"more than {MOST_TOKENS} numbers, names and signs by column {start}"
            raise _refusal(text, start, problem, "Use fewer terms.")
    return tokens


def _unknown_character(text: str, place: int) -> ArgumentError:
    character = text[place]
    shown = f"`{character}`" if character.isprintable() else f"the character U+{ord(character):04X}"
    remedy = (
        "Use ** for a power, as in x**2."
        if character in SUPERSCRIPTS
        else "Use numbers, names, + - * / **, parentheses and functions such as sin(x)."
    )
    return _refusal(text, place + 1, f"{shown} at column {place + 1} is not part of the grammar", remedy)


class _Parser:
    """Recursive descent over the tokens. Sums and products are gathered whole, so that long ones cost little."""

    def __init__(self, text: str, symbols: Mapping[str, Any], start: int, algebra: Algebra) -> None:
        self.text = text
        self.algebra = algebra
        self.minus_one = algebra.number("-1")
        self.symbols = symbols
        self.tokens = _tokens(text, start)
        self.place = 0
        self.depth = 0

    def whole(self) -> Any:
        """The expression, after which nothing may stand."""
        tree = self.sum()
        if self.next.kind != "end":
            raise self.refused(f"`)` at column {self.next.column} closes nothing" if self.next.text == ")" else "")
        return tree

    @property
    def next(self) -> _Token:
        """The token to come."""
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return _Token("end", "the end", len(self.text.rstrip()) + 1)

    def taken(self, *signs: str) -> str | None:
        """The token to come, if it is one of those signs; then it is passed."""
        if self.next.kind != "sign" or self.next.text not in signs:
            return None
        self.place += 1
        return self.tokens[self.place - 1].text

    def refused(self, problem: str = "", remedy: str = "") -> ArgumentError:
        """The error at the token to come."""
        token = self.next
        got = token.text if token.kind == "end" else f"`{token.text[:WINDOW]}`"
        return _refusal(
            self.text,
            token.column,
            problem or f"expected a number, a name or `(` at column {token.column}, got {got}",
            remedy or "Use an expression such as a*x - b*x*y.",
        )

    def sum(self) -> Any:
        """Products with signs between them."""
        terms = [self.product()]
        while sign := self.taken("+", "-"):
            terms.append(self.product() if sign == "+" else self.negative(self.product()))
        return self.algebra.add(*terms)

    def product(self) -> Any:
        """Factors with * and / between them."""
        factors = [self.signed()]
        while sign := self.taken("*", "/"):
            factors.append(self.signed() if sign == "*" else self.algebra.power(self.signed(), self.minus_one))
        self.check_between()
        return self.algebra.multiply(*factors)

    def negative(self, found: Any) -> Any:
        """Its product with −1."""
        return self.algebra.multiply(self.minus_one, found)

    def check_between(self) -> None:
        """Two values side by side are no product here."""
        token = self.next
        if token.kind in ("number", "name") or token.text == "(":
            before = self.tokens[self.place - 1].text[:WINDOW]
            problem = f"no sign between `{before}` and `{token.text[:WINDOW]}` at column {token.column}"
            raise self.refused(problem, "Write * for a product.")

    def signed(self) -> Any:
        """A power with any number of signs in front; all nesting passes through here."""
        self.depth += 1
        if self.depth > DEEPEST:
            problem = f"nested deeper than {DEEPEST} at column {self.next.column}"
            raise self.refused(problem, "Use fewer parentheses, signs and exponents within each other.")
        sign = self.taken("+", "-")
        found = self.signed() if sign else self.power()
        self.depth -= 1
        return self.negative(found) if sign == "-" else found

    def power(self) -> Any:
        """A base and perhaps an exponent."""
        base = self.atom()
        return self.algebra.power(base, self.signed()) if self.taken("**", "^") else base

    def atom(self) -> Any:
        """A number, a name, or something in parentheses."""
        token = self.next
        if token.kind == "number":
            return self.number()
        if token.kind == "name":
            return self.name()
        if not self.taken("("):
            raise self.refused()
        inside = self.sum()
        self.close(token)
        return inside

    def close(self, opened: _Token) -> None:
        """The parenthesis that must come now."""
        if not self.taken(")"):
            got = "" if self.next.kind == "end" else f" before `{self.next.text[:WINDOW]}`"
            problem = f"`(` at column {opened.column} is not closed{got} at column {self.next.column}"
            raise self.refused(problem, "Put in the `)`.")

    def number(self) -> Any:
        """A finite number."""
        value = float(self.next.text)
        if not math.isfinite(value):
            problem = f"the number at column {self.next.column} is too large"
            raise self.refused(problem, "Use one below 1.8e308.")
        self.place += 1
        return self.algebra.number(self.tokens[self.place - 1].text)

    def name(self) -> Any:
        """A symbol, a constant, or a function of its arguments."""
        token = self.next
        self.place += 1
        if self.next.text == "(":
            self.place -= 1
            return self.function(token)
        if token.text in self.symbols:
            return self.symbols[token.text]
        if token.text in CONSTANTS:
            return self.algebra.constants[token.text]
        self.place -= 1
        raise self.unknown(token, self.symbols, "name")

    def function(self, token: _Token) -> Any:
        """A function of its arguments."""
        name = SYNONYMS.get(token.text, token.text)
        if name not in FUNCTION_NAMES:
            if token.text in (*self.symbols, *CONSTANTS):
                problem = f"`{token.text[:WINDOW]}` at column {token.column} is no function"
                raise self.refused(problem, f"Write {token.text[:WINDOW]}*( for a product.")
            raise self.unknown(token, FUNCTION_NAMES, "function")
        self.place += 1
        opened = self.next
        self.place += 1
        arguments = [self.sum()]
        while self.taken(","):
            arguments.append(self.sum())
        self.close(opened)
        self.check_count(token, name, len(arguments))
        if name == "sqrt":
            return self.algebra.power(arguments[0], self.algebra.number("0.5"))
        return self.algebra.call(name, *arguments)

    def check_count(self, token: _Token, name: str, count: int) -> None:
        """The number of arguments must fit the function."""
        fits = count >= 2 if name in ("min", "max") else count == (2 if name == "atan2" else 1)
        if not fits:
            wanted = {"min": "at least 2 arguments", "max": "at least 2 arguments", "atan2": "2 arguments"}
            problem = f"`{token.text}` at column {token.column} takes {wanted.get(name, '1 argument')}, got {count}"
            raise _refusal(self.text, token.column, problem, "Separate arguments by commas.")

    def unknown(self, token: _Token, names: Iterable[str], noun: str) -> ArgumentError:
        """The error for a name that nobody gave."""
        names = list(names)
        meant = self.meant(token.text, names)
        shown = ", ".join(f"`{printable(name[:WINDOW])}`" for name in names[:12]) + (", …" if len(names) > 12 else "")
        remedy = f"Did you mean `{meant}`?" if meant else f"Use one of {shown}."
        return self.refused(f"unknown {noun} `{token.text[: 2 * WINDOW]}` at column {token.column}", remedy)

    def meant(self, name: str, names: list[str]) -> str | None:
        """What was probably meant: a function with its parentheses, a product without its sign, a name mistyped."""
        if name in FUNCTION_NAMES:
            return f"{name}(…)"
        splits = ((name[:i], name[i:]) for i in range(1, min(len(name), 2 * WINDOW)))
        product = next((f"{a}*{b}" for a, b in splits if a in names and b in names), None)
        return product or nearest(name, names)


def parts_of(tree: Expression) -> tuple[Expression, ...]:
    """The nodes directly below one."""
    match tree:
        case Sum(parts) | Product(parts) | Call(_, parts):
            return parts
        case Power(base, exponent):
            return (base, exponent)
        case _:
            return ()


def _check_constants(tree: Expression, text: str) -> bool:
    """Whether it holds no symbol; then it must be a finite real number: 1/0, log(-1) and 9**9**9**9 are not."""
    below = [_check_constants(part, text) for part in parts_of(tree)]  # all of them, not only until one has a symbol
    constant = all(below) and not isinstance(tree, Symbol)
    if constant:
        value = _value(tree)
        if not isinstance(value, float) or not math.isfinite(value):
            quoted = printable(text if len(text) <= 2 * WINDOW else text[: 2 * WINDOW] + "…").strip()
            raise ArgumentError(
                f"`{quoted}`: a constant in it is no finite real number. Look for a division by 0, a root or logarithm "
                "of a negative number, or a huge power."
            )
    return constant


def _value(node: Expression) -> Any:
    try:
        return evaluate(node, {})
    except (ArithmeticError, ValueError, TypeError):  # TypeError: the order of complex numbers
        return None

"""What can stand on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Heading:
    """The title of what follows. A page with more than five has a list of contents."""

    content: str


@dataclass(frozen=True)
class Text:
    """Prose; an empty line parts two paragraphs."""

    content: str


@dataclass(frozen=True)
class Callout:
    """Words that must not be missed, such as a warning that has to come first; `title` stands above them in bold."""

    content: str
    title: str = ""
    kind: Literal["note", "warning"] = "note"


@dataclass(frozen=True)
class Code:
    """Lines to be copied as they are, such as a command; a button copies them."""

    content: str


@dataclass(frozen=True)
class Maths:
    """MathML that this room made; it goes into the page as it is."""

    mathml: str


@dataclass(frozen=True)
class Figure:
    """An SVG that this room made; it goes into the page as it is. `alt` says in words what is to be seen."""

    svg: str
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError(
                f"`alt` of `Figure` must say what is to be seen. Got {self.alt!r}. Describe it in a sentence."
            )


@dataclass(frozen=True)
class TableOf:
    """Rows of text below a header; columns of numbers stand on the right. A wide table scrolls by itself."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Details:
    """Sections folded away under a line that says what they are; on paper they are unfolded."""

    summary: str
    sections: "Sequence[Section]"


Section = Heading | Text | Callout | Code | Maths | Figure | TableOf | Details

"""A page that holds everything itself: nothing from outside, light and dark, good on paper, whole without a script."""

import re
from collections.abc import Iterator, Sequence

from continua.show.markup import escaped
from continua.show.page_parts import policy, script, style
from continua.show.sections import Callout, Code, Details, Figure, Heading, Maths, Section, TableOf, Text
from continua.show.svg_markup import PLOT_ATTRIBUTE

MOST_WITHOUT_CONTENTS = 5  # headings
FIGURE_TO_ZOOM = f' {PLOT_ATTRIBUTE}="'  # an escaped text has no such quotation mark

# 0.48(6), −1.2(3)×10⁻⁵, +3.2, 12 %, 0.36 … 0.60, [0.3, 0.5], ∞, nan, – (nothing known)
QUANTITY = r"[−+±~≤≥<>-]?\s?(?:\d[\d.,\u202f']*(?:e[+-]?\d+)?(?:\([\d.?]+\))?(?:×?10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?|∞|nan)\s?%?"
NUMERIC = re.compile(rf"(?:\[?{QUANTITY}(?:\s?(?:…|\.\.\.|–|to|,|±)\s?{QUANTITY})?\]?|[–—-])", re.IGNORECASE)
NOTHING = {"", "–", "—", "-"}


def page(title: str, sections: Sequence[Section], *, language: str = "en") -> str:
    """A complete HTML document; all text in it is escaped.

    A content security policy in it forbids every request to the outside and every script but its own two: one switches
    light and dark, copies code and unfolds details for paper, one zooms figures from `svg` and names their points. The
    second is there only if such a figure is. Without scripts the page says and shows the same.

    Args:
        title: of the page and of its first heading.
        sections: what stands on it, from top to bottom.
        language: of the text, as in HTML's `lang`.

    Example:
        >>> "<h1>a &lt; b</h1>" in page("a < b", [Text("Proof.")])
        True
    """
    anchors = Anchors(sections)
    body = "\n".join(_body(sections, anchors))
    scripts = [script(name) for name in ("page", "plot") if name == "page" or FIGURE_TO_ZOOM in body]
    return (
        f'<!DOCTYPE html>\n<html lang="{escaped(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{style()}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escaped(title)}</h1>\n{body}\n</main>\n"
        + "".join(f"<script>{one}</script>\n" for one in scripts)
        + "</body>\n</html>\n"
    )


class Anchors:
    """A name for every heading, made of its letters, each once: what a link to it says."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.headings = list(_headings(sections))
        self.names: list[str] = []
        for place, heading in enumerate(self.headings, 1):
            name = "-".join(re.findall(r"[a-z0-9]+", heading.content.lower()))[:60] or f"section-{place}"
            self.names.append(name if name not in self.names else f"{name}-{place}")
        self.left = iter(self.names)


def _headings(sections: Sequence[Section]) -> Iterator[Heading]:
    for section in sections:
        if isinstance(section, Heading):
            yield section
        elif isinstance(section, Details):
            yield from _headings(section.sections)


def _body(sections: Sequence[Section], anchors: Anchors) -> Iterator[str]:
    """The sections, and the list of contents before the first heading: what must come first stays first."""
    contents = _contents(anchors)
    for section in sections:
        if contents and isinstance(section, Heading):
            yield contents
            contents = ""
        yield _section(section, anchors)


def _contents(anchors: Anchors) -> str:
    if len(anchors.headings) <= MOST_WITHOUT_CONTENTS:
        return ""
    entries = zip(anchors.names, anchors.headings, strict=True)
    items = "\n".join(f'<li><a href="#{name}">{escaped(heading.content)}</a></li>' for name, heading in entries)
    return f'<nav aria-label="Contents"><ol>\n{items}\n</ol></nav>'


def _section(section: Section, anchors: Anchors) -> str:
    match section:
        case Heading(content):
            return f'<h2 id="{next(anchors.left)}">{escaped(content)}</h2>'
        case Text(content):
            return _paragraphs(content)
        case Callout():
            return _callout(section)
        case Code(content):
            return f'<div class="code"><pre><code>{escaped(content)}</code></pre></div>'
        case Maths(mathml):
            return f'<div class="maths">{mathml}</div>'
        case Figure():
            return _figure(section)
        case TableOf():
            return _table(section)
        case Details(summary, sections):
            inner = "\n".join(_section(one, anchors) for one in sections)
            return f"<details><summary>{escaped(summary)}</summary>\n{inner}\n</details>"


def _paragraphs(content: str) -> str:
    paragraphs = [part.strip() for part in content.replace("\r\n", "\n").split("\n\n")]
    return "\n".join(f"<p>{escaped(part)}</p>" for part in paragraphs if part)


def _callout(callout: Callout) -> str:
    title = f"<p><strong>{escaped(callout.title)}</strong></p>" if callout.title else ""
    return f'<aside class="{escaped(callout.kind)}" role="note">{title}{_paragraphs(callout.content)}</aside>'


def _figure(figure: Figure) -> str:
    caption = f"<figcaption>{escaped(figure.caption)}</figcaption>" if figure.caption else ""
    plot = f'<div class="plot" role="img" aria-label="{escaped(figure.alt)}">{figure.svg}</div>'
    return f"<figure>{plot}{caption}</figure>"


def _table(table: TableOf) -> str:
    caption = f"<caption>{escaped(table.caption)}</caption>" if table.caption else ""
    kinds = _number_columns(table)
    head = "".join(
        f'<th scope="col"{kind}>{escaped(cell)}</th>' for kind, cell in zip(kinds, table.header, strict=False)
    )
    rows = "\n".join(
        "<tr>" + "".join(f"<td{kind}>{escaped(cell)}</td>" for kind, cell in zip(kinds, row, strict=False)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="table"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'


def _number_columns(table: TableOf) -> list[str]:
    """An attribute for each column: a column is one of numbers if all that stands in it is a number, or nothing."""
    width = max([len(table.header), *map(len, table.rows)])
    kinds = []
    for place in range(width):
        cells = [row[place].strip() for row in table.rows if place < len(row)]
        known = [cell for cell in cells if cell not in NOTHING]
        kinds.append(' class="number"' if known and all(map(NUMERIC.fullmatch, known)) else "")
    return kinds

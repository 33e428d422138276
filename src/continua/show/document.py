"""A page that holds everything itself: no scripts, nothing from the outside, light and dark, good on paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from continua.show.markup import escaped

STYLE = """
:root { color-scheme: light dark;
  --ink: #1a1a1a; --paper: #ffffff; --faint: #5c5c5c; --rule: #d6d6d6; --tint: #f5f5f3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e6; --paper: #141414; --faint: #a3a3a3; --rule: #3c3c3c; --tint: #1f1f1f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1.5rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.2rem 0 .6rem; }
p { margin: .6rem 0; white-space: pre-line; }
math { font-size: 1.15em; }
math[display="block"] { margin: .8rem 0; }
.maths, .table { overflow: auto hidden; margin: 1rem 0; }
figure { margin: 1.4rem 0; }
figure > div { overflow: auto hidden; }
figure svg { display: block; width: 100%; min-width: 28rem; height: auto; }
figcaption, caption { color: var(--faint); font-size: .9rem; text-align: left; }
figcaption { margin-top: .4rem; }
caption { caption-side: bottom; padding-top: .4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; }
pre { background: var(--tint); padding: .8rem 1rem; overflow-x: auto; font-size: .9rem; border-radius: 4px; }
@media print {
  :root { --ink: #000; --paper: #fff; --faint: #444; --rule: #999; --tint: #fff; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  figure, table, pre, .maths { break-inside: avoid; }
  figure svg { min-width: 0; }
  h2 { break-after: avoid; }
}
"""


@dataclass(frozen=True)
class Heading:
    """The title of what follows."""

    content: str


@dataclass(frozen=True)
class Text:
    """Prose; an empty line parts two paragraphs."""

    content: str


@dataclass(frozen=True)
class Code:
    """Lines to be copied as they are, such as a command."""

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


@dataclass(frozen=True)
class TableOf:
    """Rows of text below a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


Section = Heading | Text | Code | Maths | Figure | TableOf


def page(title: str, sections: Sequence[Section], *, language: str = "en") -> str:
    """A complete HTML document; all text in it is escaped.

    Args:
        title: of the page and of its first heading.
        sections: what stands on it, from top to bottom.
        language: of the text, as in HTML's `lang`.

    Example:
        >>> "<h1>a &lt; b</h1>" in page("a < b", [Text("Proof.")])
        True
    """
    body = "\n".join(_section(section) for section in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{escaped(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escaped(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    match section:
        case Heading(content):
            return f"<h2>{escaped(content)}</h2>"
        case Text(content):
            paragraphs = [part.strip() for part in content.replace("\r\n", "\n").split("\n\n")]
            return "\n".join(f"<p>{escaped(part)}</p>" for part in paragraphs if part)
        case Code(content):
            return f"<pre><code>{escaped(content)}</code></pre>"
        case Maths(mathml):
            return f'<div class="maths">{mathml}</div>'
        case Figure():
            return _figure(section)
        case TableOf():
            return _table(section)


def _figure(figure: Figure) -> str:
    caption = f"<figcaption>{escaped(figure.caption)}</figcaption>" if figure.caption else ""
    return f'<figure><div role="img" aria-label="{escaped(figure.alt)}">{figure.svg}</div>{caption}</figure>'


def _table(table: TableOf) -> str:
    caption = f"<caption>{escaped(table.caption)}</caption>" if table.caption else ""
    head = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in table.header)
    rows = "\n".join("<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<div class="table"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'

"""Pages: complete, escaped, and in need of nothing from outside."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from continua.show import Code, Figure, Heading, Maths, TableOf, Text, mathml_equation, new_figure, page, svg
from continua.show.expression import Symbol

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Checks that tags nest, and collects what is read."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    return reader


def full_page():
    figure, axes = new_figure(3.0, 2.0)
    axes[0, 0].plot([0, 1], [1, 0])
    x = Symbol("x", "state")
    return page(
        "Hares & lynxes",
        [
            Heading("Found"),
            Text("First.\n\nSecond <b>."),
            Maths(mathml_equation("x", x)),
            Figure(svg(figure), "A caption.", 'Falls from 1 to "0"'),
            TableOf(["name", "value"], [["α", "0.48(6)"], ["a<b", ""]], "Estimates."),
            Code("continua fit <file>"),
        ],
    )


def test_a_page_is_complete():
    reader = read(full_page())
    tags = [tag for tag, _ in reader.seen]
    assert tags.count("p") == 2
    assert ("html", {"lang": "en"}) in reader.seen
    assert ("div", {"role": "img", "aria-label": 'Falls from 1 to "0"'}) in reader.seen
    assert {"math", "svg", "table", "caption", "figcaption", "pre", "title", "h1", "h2"} <= set(tags)
    assert any(attributes.get("name") == "viewport" for _, attributes in reader.seen)
    for words in ("Hares & lynxes", "Second <b>.", "a<b", "continua fit <file>"):
        assert words in reader.words


def test_a_page_needs_nothing_from_outside():
    markup = full_page()
    assert set(re.findall(r"\bhttp[^\s\"<]*", markup)) <= {"http://www.w3.org/2000/svg"}
    reader = read(markup)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.seen}
    assert not any("src" in attributes for _, attributes in reader.seen)
    assert "url(" not in markup.partition("<body>")[0]
    assert "prefers-color-scheme: dark" in markup
    assert "@media print" in markup


@given(words=st.text())
def test_any_text_is_escaped(words):
    hostile = words + '"><script>alert(1)</script>'
    reader = read(
        page(
            hostile,
            [
                Text(hostile),
                Heading(hostile),
                Code(hostile),
                Figure("", hostile, hostile),
                TableOf([hostile], [[hostile]], hostile),
            ],
        )
    )
    assert "script" not in {tag for tag, _ in reader.seen}
    assert page(hostile, []).encode()

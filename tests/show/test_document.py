"""Pages: complete, escaped, and in need of nothing from outside."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continua.show import (
    Callout,
    Code,
    Details,
    Figure,
    Heading,
    Maths,
    TableOf,
    Text,
    mathml_equation,
    new_figure,
    page,
    svg,
)
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
    assert ("div", {"class": "plot", "role": "img", "aria-label": 'Falls from 1 to "0"'}) in reader.seen
    assert {"math", "svg", "table", "caption", "figcaption", "pre", "title", "h1", "h2"} <= set(tags)
    assert any(attributes.get("name") == "viewport" for _, attributes in reader.seen)
    for words in ("Hares & lynxes", "Second <b>.", "a<b", "continua fit <file>"):
        assert words in reader.words


def scripts(markup):
    return re.findall(r"<script>(.*?)</script>", markup, re.DOTALL)


def test_a_page_needs_nothing_from_outside():
    markup = full_page()
    assert set(re.findall(r"\bhttps?://[^\s\"'<]*", markup)) <= {"http://www.w3.org/2000/svg"}
    reader = read(markup)
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in reader.seen}
    assert not any("src" in attributes for _, attributes in reader.seen)
    assert "url(" not in markup.partition("<body>")[0]
    assert "prefers-color-scheme: dark" in markup
    assert "@media print" in markup


def test_the_policy_allows_the_scripts_of_the_page_and_no_other():
    """W3C, Content Security Policy Level 3: a script runs if the hash of its text stands in the policy."""
    markup = full_page()
    policy = next(a["content"] for _, a in read(markup).seen if a.get("http-equiv") == "Content-Security-Policy")
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts(markup)]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_script_and_style_are_small_and_come_only_where_they_are_needed():
    drawn = svg(new_figure(3.0, 2.0)[0])
    zoomed = page("a", [Figure(drawn, "", "Nothing."), Details("b", [Figure(drawn, "", "Nothing.")])])
    still = page("a", [Figure(svg(new_figure(3.0, 2.0)[0], interactive=False), "", "Nothing.")])
    assert len(scripts(zoomed)) == 2
    assert len(scripts(still)) == 1
    assert len("".join([*scripts(zoomed), zoomed.partition("<style>")[2].partition("</style>")[0]]).encode()) < 25_000


@given(words=st.text())
def test_any_text_is_escaped(words):
    hostile = words + '"><script>alert(1)</script> data-plot="'
    markup = page(
        hostile,
        [
            Text(hostile),
            Callout(hostile, hostile, "warning"),
            *[Heading(hostile)] * 6,
            Code(hostile),
            Figure("", hostile, hostile),
            TableOf([hostile], [[hostile]], hostile),
            Details(hostile, [Heading(hostile)]),
        ],
    )
    read(markup)
    assert len(scripts(markup)) == 1
    assert "alert(1)" not in scripts(markup)[0]
    assert page(hostile, []).encode()


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_figure_needs_words(alt):
    with pytest.raises(ValueError, match="`alt` of `Figure` must say what is to be seen"):
        Figure("<svg/>", "A caption.", alt)


@given(titles=st.lists(st.sampled_from(["Data", "data!", "α", "", "Data 2"]) | st.text(), min_size=6, max_size=12))
def test_every_heading_has_its_own_anchor(titles):
    """Also where headings are alike, or are folded away."""
    seen = read(page("Report", [*map(Heading, titles[:-1]), Details("more", [Heading(titles[-1])])])).seen
    anchors = [attributes["id"] for tag, attributes in seen if tag == "h2"]
    assert len(set(anchors)) == len(titles)
    assert [attributes["href"] for tag, attributes in seen if tag == "a"] == [f"#{anchor}" for anchor in anchors]


def test_a_short_page_has_no_contents_and_a_warning_comes_before_them():
    assert "<nav" not in page("Report", [Heading(str(k)) for k in range(5)])
    markup = page("Report", [Callout("Do not trust it.", "Warning", "warning"), *[Heading(str(k)) for k in range(6)]])
    assert markup.index("Do not trust it.") < markup.index("<nav") < markup.index("<h2")


def test_columns_of_numbers_stand_on_the_right():
    numbers = [
        "0.48(6)",
        "−1.2(3)×10⁻⁵",
        "+3.2",
        "12 %",
        "0.36 … 0.60",
        "[−0.3, 0.5]",
        "1e-5",
        "∞",
        "–",
        "",
        "3.5(1.2)",
    ]
    words = ["α", "1/year", "1 step ahead", "Lotka–Volterra", "2 of 3"]
    seen = read(page("a", [TableOf(["n", "w"], [[n, words[k % 5]] for k, n in enumerate(numbers)])])).seen
    cells = [attributes.get("class") for tag, attributes in seen if tag in ("th", "td")]
    assert set(cells[0::2]) == {"number"}
    assert set(cells[1::2]) == {None}


def test_a_table_of_nothing_is_no_table_of_numbers():
    assert 'class="number"' not in page("a", [TableOf(["n", "m"], [["–", ""], ["", "–"]]), TableOf([], [])])


def test_a_ragged_table_keeps_its_cells():
    markup = page("a", [TableOf(["one"], [["1", "2"], []])])
    assert "<td" in markup
    assert ">2</td>" in markup

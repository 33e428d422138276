"""Pages as a reader meets them, in a real browser where there is one: zoom, hover, keys, fingers, themes, paper."""

import os
import re
import shutil

import numpy as np
import pytest

from continua.show import Callout, Code, Details, Figure, Heading, TableOf, Text, new_figure, page, svg

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("ignore"),  # of the browser's driver
]

HOSTILE = '<img src=x onerror="document.title=1">'


def whole_numbers():
    """Two panels over the same x, with points on whole numbers and a band."""
    figure, axes = new_figure(6.0, 4.0, rows=2)
    x = np.arange(11.0)
    axes[0, 0].plot(x, 2 * x, "o", label=f"twice {HOSTILE}")
    axes[1, 0].fill_between(x, -x, x + 1, label="band")
    axes[0, 0].set(xlabel="t", ylabel=HOSTILE, xlim=(-1, 11), ylim=(-2, 22))
    axes[1, 0].set(xlim=(-1, 11))
    return figure


def decades():
    figure, axes = new_figure(6.0, 3.0)
    axes[0, 0].loglog(10.0 ** np.arange(-4, 5), 10.0 ** -np.arange(-4, 5), "o", label="slope")
    return figure


def places():
    figure, axes = new_figure(4.0, 4.0)
    across, up = np.meshgrid(np.arange(5.0), np.arange(5.0))
    axes[0, 0].quiver(across, up, np.ones_like(up), np.zeros_like(up))
    axes[0, 0].annotate("saddle", (2, 2), xytext=(6, 6), textcoords="offset points")
    axes[0, 0].plot([2], [2], "o", label="saddle")
    return figure


@pytest.fixture(scope="module")
def markup(tmp_path_factory):
    sections = [
        Callout("Read this."),
        *[Heading(f"Part {k}") for k in range(6)],
        *[Figure(svg(one()), "Caption.", "What is seen.") for one in (whole_numbers, decades, places)],
        TableOf([f"column {k}" for k in range(20)], [["1.5"] * 20]),
        Details("Folded", [Text("Within.")]),
        Code("import continua"),
        *[Text("More.")] * 40,
    ]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page("Report", sections), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, markup):
    """Opens the page; whatever goes wrong in it, or goes out of it, fails the test."""
    contexts, faults = [], []

    def make(**options):
        contexts.append(browser.new_context(**{"viewport": {"width": 900, "height": 800}, **options}))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: faults.append(message.text))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("request", lambda request: None if request.url == markup else faults.append(request.url))
        tab.goto(markup)
        return tab

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def plot(tab, number):
    return tab.locator(".plot").nth(number)


def at(tab, number, axes, x, y):
    """The place on the screen of a share of the axes' box."""
    return (
        plot(tab, number)
        .locator("svg")
        .evaluate(
            """(svg, [axes, u, v]) => { const [left, top, width, height] = JSON.parse(svg.dataset.plot).axes[axes].box;
        const at = new DOMPoint(left + u * width, top + (1 - v) * height).matrixTransform(svg.getScreenCTM());
        return [at.x, at.y]; }""",
            [axes, x, y],
        )
    )


def drag(tab, number, start, stop, axes=0):
    plot(tab, number).scroll_into_view_if_needed()
    tab.mouse.move(*at(tab, number, axes, *start))
    tab.mouse.down()
    tab.mouse.move(*at(tab, number, axes, *stop), steps=3)
    tab.mouse.up()
    tab.wait_for_timeout(350)


def ticks(tab, number, axes, letter):
    """Place by label of the ticks that are seen."""
    found = (
        plot(tab, number)
        .locator(f'[data-axes="{axes}"] [data-axis="{letter}"]')
        .evaluate(
            """(group, letter) => [...group.querySelectorAll(':scope > g:last-child text')]
        .map((text) => [text.textContent, +text.getAttribute(letter)])""",
            letter,
        )
    )
    return dict(found)


def marks(tab, number, axes):
    """Coordinates of the points of a panel."""
    script = "(all) => all.map((use) => [+use.getAttribute('x'), +use.getAttribute('y')])"
    return np.array(plot(tab, number).locator(f'[data-axes="{axes}"] > g:not([data-axis]) use[x]').evaluate_all(script))


def drawing(tab, number):
    """All that moves, as it stands in the document."""
    return (
        plot(tab, number)
        .locator("svg")
        .evaluate(
            "(svg) => [...svg.querySelectorAll('path, use, text')]"
            ".map((part) => ['d', 'x', 'y'].map((name) => part.getAttribute(name)).join())"
        )
    )


def numeric(label):
    raised = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
    if power := re.fullmatch(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", label):
        return 10.0 ** int(power[1].translate(raised))
    return float(label.translate(raised))


def test_ticks_stay_right_under_a_zoom(opened):
    """The tick with the label k stands where the point (k, 2k) does."""
    tab = opened()
    drag(tab, 0, (0.2, 0.2), (0.7, 0.8))
    points = marks(tab, 0, 0)
    across, up = ticks(tab, 0, 0, "x"), ticks(tab, 0, 0, "y")
    assert len(across) >= 3
    assert len(up) >= 2
    for label, place in across.items():
        assert place == pytest.approx(np.interp(numeric(label), np.arange(11), points[:, 0]), abs=0.05)
    for label, place in up.items():  # the baseline of a text is a third of its height lower
        assert place - 3.6 == pytest.approx(np.interp(numeric(label), 2 * np.arange(11), points[:, 1]), abs=0.05)


def test_ticks_of_a_logarithmic_axis_stay_right(opened):
    tab = opened()
    for start, stop in (((0.3, 0.3), (0.7, 0.7)), ((0.2, 0.2), (0.6, 0.6))):
        drag(tab, 1, start, stop)
        points, across = marks(tab, 1, 0), ticks(tab, 1, 0, "x")
        assert len(across) >= 3
        for label, place in across.items():
            expected = np.interp(np.log10(numeric(label)), np.arange(-4, 5), points[:, 0])
            assert place == pytest.approx(expected, abs=0.05)


def test_panels_over_the_same_axis_go_together(opened):
    tab = opened()
    drag(tab, 0, (0.2, 0.2), (0.7, 0.8))
    assert ticks(tab, 0, 0, "x") == ticks(tab, 0, 1, "x") != {}
    assert ticks(tab, 0, 1, "y") == {}  # not zoomed: as it was drawn


def test_a_flat_box_zooms_one_axis(opened):
    tab = opened()
    drag(tab, 1, (0.3, 0.5), (0.6, 0.5))
    assert ticks(tab, 1, 0, "x")
    assert not ticks(tab, 1, 0, "y")


@pytest.mark.parametrize("back", ["double click", "Escape", "0 on the button"])
def test_the_way_back_gives_the_figure_as_it_was(opened, back):
    tab = opened()
    before = drawing(tab, 2)
    drag(tab, 2, (0.2, 0.2), (0.7, 0.8))
    assert drawing(tab, 2) != before
    if back == "double click":
        tab.mouse.dblclick(*at(tab, 2, 0, 0.5, 0.5))
    elif back == "Escape":
        plot(tab, 2).press("Escape")
        plot(tab, 2).press("Escape")  # the first may only have put a name away
    else:
        tab.get_by_label("Whole figure").nth(2).click()
    assert drawing(tab, 2) == before
    assert "zoomed" not in plot(tab, 2).get_attribute("class")


def test_a_point_is_named_and_no_name_becomes_a_tag(opened):
    tab = opened()
    plot(tab, 0).scroll_into_view_if_needed()
    tab.mouse.move(*at(tab, 0, 0, 4.1 / 12, 8.1 / 24))
    words = tab.locator(".tip").first.inner_text()
    assert f"twice {HOSTILE}" in words
    assert "t: 3" in words
    assert f"{HOSTILE}: 6" in words
    tab.mouse.move(*at(tab, 0, 1, 5 / 12, 0.5))
    assert "y: −4 … 5" in tab.locator(".tip").first.inner_text()
    assert tab.locator(".tip img").count() == 0
    assert tab.title() == "Report"


def test_texts_and_arrows_keep_their_size_and_go_with_their_point(opened):
    tab = opened()
    label = plot(tab, 2).locator("[data-at]").first
    size, length = label.bounding_box(), "(path) => path.getBBox().width"
    arrow = plot(tab, 2).locator("[data-move=start] path").nth(12)
    before, offset = arrow.evaluate(length), np.array([size["x"], size["y"]]) - _screen_point(tab)
    drag(tab, 2, (0.3, 0.3), (0.8, 0.8))
    after = label.bounding_box()
    assert after["width"] == pytest.approx(size["width"], abs=0.5)
    assert np.array([after["x"], after["y"]]) - _screen_point(tab) == pytest.approx(offset, abs=0.5)
    assert arrow.evaluate(length) == pytest.approx(before, abs=0.05)


def _screen_point(tab):
    box = plot(tab, 2).locator('[data-axes="0"] > g:not([data-axis]) use[x]').last.bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


def test_keys_zoom_move_and_leave(opened):
    tab = opened(reduced_motion="reduce")
    plot(tab, 1).focus()
    before, whole = drawing(tab, 1), marks(tab, 1, 0)
    plot(tab, 1).press("ArrowRight")
    assert drawing(tab, 1) == before  # nothing to move to
    plot(tab, 1).press("+")  # with less motion wanted, there at once
    closer = marks(tab, 1, 0)
    assert np.ptp(closer[:, 0]) == pytest.approx(1.6 * np.ptp(whole[:, 0]), rel=0.01)
    plot(tab, 1).press("ArrowRight")
    assert (marks(tab, 1, 0)[:, 0] < closer[:, 0]).all()
    plot(tab, 1).press("-")
    plot(tab, 1).press("-")
    assert "zoomed" not in plot(tab, 1).get_attribute("class")
    plot(tab, 1).press("Escape")
    assert not plot(tab, 1).evaluate("(plot) => plot.matches(':focus')")


def test_the_wheel_scrolls_the_page_until_the_figure_is_chosen(opened):
    tab = opened()
    before = drawing(tab, 0)
    tab.mouse.move(*at(tab, 0, 0, 0.5, 0.5))
    tab.mouse.wheel(0, 200)
    tab.wait_for_timeout(200)
    scrolled = tab.evaluate("scrollY")
    assert scrolled > 0
    assert drawing(tab, 0) == before
    tab.mouse.click(*at(tab, 0, 0, 0.5, 0.5))
    tab.mouse.wheel(0, -200)
    tab.wait_for_timeout(200)
    assert tab.evaluate("scrollY") == scrolled
    assert drawing(tab, 0) != before


def test_two_fingers_zoom_and_one_scrolls(opened):
    tab = opened(has_touch=True, viewport={"width": 390, "height": 800})
    plot(tab, 1).scroll_into_view_if_needed()
    before, hand = marks(tab, 1, 0), tab.context.new_cdp_session(tab)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    a, b = at(tab, 1, 0, 0.4, 0.5), at(tab, 1, 0, 0.6, 0.5)
    touch("touchStart", a, b)
    for step in (10, 20, 30, 40):
        touch("touchMove", (a[0] - step, a[1]), (b[0] + step, b[1]))
    touch("touchEnd")
    wanted = (b[0] - a[0] + 80) / (b[0] - a[0])
    assert np.ptp(marks(tab, 1, 0)[:, 0]) / np.ptp(before[:, 0]) == pytest.approx(wanted, rel=0.1)
    x, y = at(tab, 1, 0, 0.5, 0.5)
    seen = marks(tab, 1, 0)
    touch("touchStart", (x, y))
    touch("touchMove", (x + 12, y))
    touch("touchMove", (x + 30, y))
    touch("touchEnd")
    assert (marks(tab, 1, 0)[:, 0] > seen[:, 0]).all()


def test_paper_shows_the_whole_figure_and_what_was_folded(opened):
    tab = opened()
    before = drawing(tab, 0)
    drag(tab, 0, (0.2, 0.2), (0.7, 0.8))
    zoomed = drawing(tab, 0)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print", color_scheme="dark")
    assert drawing(tab, 0) == before
    assert tab.get_by_text("Within.").is_visible()
    assert not tab.get_by_role("button").first.is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert drawing(tab, 0) == zoomed


def luminance(colour):
    channels = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_themes_follow_the_system_and_a_button_and_can_be_read(opened, scheme):
    """WCAG 2.1, success criterion 1.4.3: text needs a contrast of 4.5."""
    tab = opened(color_scheme=scheme)

    def darkness():
        return luminance(tab.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.1

    assert darkness() == (scheme == "dark")
    for _ in range(2):
        for place in ("p", "figcaption", "nav a", "aside p", "pre", "td", ".tools span", "button"):
            ink, paper = tab.locator(place).first.evaluate(
                """(part) => { let back = part;
                while (getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)') back = back.parentElement;
                return [getComputedStyle(part).color, getComputedStyle(back).backgroundColor]; }"""
            )
            low, high = sorted([luminance(ink), luminance(paper)])
            assert (high + 0.05) / (low + 0.05) >= 4.5, place
        tab.get_by_label("Light or dark").click()
    assert darkness() == (scheme == "dark")
    tab.get_by_label("Light or dark").click()
    tab.reload()
    assert darkness() != (scheme == "dark")  # remembered


def test_without_scripts_the_page_says_the_same(opened):
    tab = opened(java_script_enabled=False)
    assert tab.get_by_role("button").count() == 0
    assert tab.locator(".plot svg").count() == 3
    assert tab.get_by_role("img", name="What is seen.").count() == 3


def test_contents_lead_to_their_headings_and_wide_tables_scroll(opened):
    tab = opened(viewport={"width": 390, "height": 700})
    tab.get_by_role("link", name="Part 5").click()
    assert tab.url.endswith("#part-5")
    table = tab.get_by_role("table").locator("..")
    assert table.get_attribute("tabindex") == "0"
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_code_is_copied(opened):
    tab = opened(permissions=["clipboard-read", "clipboard-write"])
    tab.get_by_role("button", name="Copy").click()
    tab.get_by_role("button", name="Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == "import continua"

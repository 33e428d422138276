"""matplotlib's SVG, made fit for a page: own ids, the page's ink, lengths to a hundredth of a point, marks."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from continua.show.markup import allowed

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
DECIMALS = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
INK = "#000000"  # matplotlib's default; becomes the colour of the text around the figure
PRINTED_INK = "#1a1a1a"
FONTS = "'DejaVu Sans', Verdana, Geneva, Arial, Helvetica, sans-serif"  # the first two are equally wide
FAMILY = re.compile(r"font-family: 'DejaVu Sans', [^;]*sans-serif(?:; )?")
GROUP_ONLY = re.compile(r"(?:^|; )(?:opacity|mix-blend-mode|filter)\b")  # means another thing on a group
PLOT_ATTRIBUTE = "data-plot"
MANY_DOTS = 400
SHAPE_ATTRIBUTE = "data-shape"
COORDINATES = re.compile(r"(-?[\d.]+) (-?[\d.]+)")


def inline_svg(drawn: str, plot: Mapping[str, Any] | None = None, marks: Mapping[str, tuple[str, str]] = {}) -> str:
    """An `<svg>` element for a page from the document that matplotlib drew.

    Args:
        drawn: an SVG document by matplotlib.
        plot: what a script should know of it; goes into the attribute `data-plot` as JSON.
        marks: (attribute, value) that replaces an id, by id.
    """
    root = _tidied(drawn, marks)
    if plot is not None and plot["axes"]:
        root.set(PLOT_ATTRIBUTE, json.dumps(plot, separators=(",", ":"), allow_nan=False))
    return ElementTree.tostring(root, encoding="unicode").strip()


def standalone_svg(drawn: str, title: str) -> str:
    """An SVG document on white, with a title, from the one that matplotlib drew."""
    root = _tidied(drawn, {})
    root.set("color", PRINTED_INK)
    paper = ElementTree.Element("rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    heading = ElementTree.Element("title")
    heading.text = allowed(title)
    root[:0] = [heading, paper]
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode").strip() + "\n"


def _tidied(drawn: str, marks: Mapping[str, tuple[str, str]]) -> ElementTree.Element:
    root = ElementTree.fromstring(drawn)
    for parent in (root, *root.findall(f"{{{SVG_NAMESPACE}}}defs")):
        for child in [child for child in parent if child.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)  # a date, and a style that would reach the whole page
    prefix = "f" + hashlib.sha256(ElementTree.tostring(root)).hexdigest()[:10] + "-"
    used = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text, element.tail = _unpadded(element.text), _unpadded(element.tail)
        own = {name.rpartition("}")[2]: _own(name, value, prefix) for name, value in element.attrib.items()}
        if (name := element.get("id")) not in used:
            own.pop("id", None)
        element.attrib = own
        if name is not None and name in marks:
            element.set(*marks[name])
    _unfold(root)
    _join_dots(root)
    for group in root.iter("g"):
        _share_style(group)
    root.set("xmlns", SVG_NAMESPACE)
    root.attrib.pop("version", None)
    look = {"fill": "currentColor", "stroke-linejoin": "round", "stroke-linecap": "butt", "font-family": FONTS}
    root.attrib.update(look)
    return root


def _unpadded(between: str | None) -> str | None:
    """Nothing for the line breaks between tags."""
    return between if between and between.strip() else None


def _references(element: ElementTree.Element) -> list[str]:
    """The ids that an element points at."""
    links = [value[1:] for name in (LINK, "href") if (value := element.get(name, "")).startswith("#")]
    return links + [found for value in element.attrib.values() for found in REFERENCE.findall(value)]


def _own(name: str, value: str, prefix: str) -> str:
    """An attribute with ids of this figure, the page's ink for black, and lengths to a hundredth of a point."""
    if name in ("d", "x", "y"):
        return " ".join(DECIMALS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value).split())
    if name == "id":
        return prefix + value
    if name in (LINK, "href") and value.startswith("#"):
        return "#" + prefix + value[1:]
    if name == "style":
        value = FAMILY.sub("", value).removesuffix("; ")
    return REFERENCE.sub(rf"url(#{prefix}\1)", value).replace(INK, "currentColor")


def _unfold(root: ElementTree.Element) -> None:
    """Draws in place the areas that matplotlib defines first and then uses, so that a script can stretch them."""
    defined = {f"#{path.get('id')}": path for path in root.iter("path") if "id" in path.attrib}
    shapes = [group for group in root.iter("g") if SHAPE_ATTRIBUTE in group.attrib]
    for use in [use for group in shapes for use in group.iter("use") if use.get("href") in defined]:
        shape, x, y = defined[use.attrib["href"]], float(use.get("x", 0)), float(use.get("y", 0))
        moved = COORDINATES.sub(
            lambda at, x=x, y=y: f"{float(at[1]) + x:.2f} {float(at[2]) + y:.2f}", shape.attrib["d"]
        )
        look = "; ".join(filter(None, [shape.get("style"), use.get("style")]))
        use.tag, use.attrib = "path", {"d": moved} | ({"style": look} if look else {})
    wanted = {use.get("href") for use in root.iter("use")}
    for group in shapes:
        for definitions in group.findall("defs"):
            if not any(f"#{path.get('id')}" in wanted for path in definitions):
                group.remove(definitions)


def _join_dots(root: ElementTree.Element) -> None:
    """Draws many round points as one path: a browser moves it a hundred times faster, and it is a third as long.

    A line without a length and with round caps is a dot (SVG 2, section 13.5.4).
    """
    radii = {f"#{path.get('id')}": (float(found[1]), path) for path in root.iter("path") if (found := _circle(path))}
    for group in root.iter("g"):
        points = list(group)
        if len(points) < MANY_DOTS or any(point.tag != "use" for point in points):
            continue
        looks = {(point.get("href"), point.get("style", "")) for point in points}
        name, style = looks.pop()
        if looks or name not in radii:
            continue
        radius, path = radii[name]
        look = dict(part.split(": ", 1) for part in f"{path.get('style', '')}; {style}".split("; ") if ": " in part)
        if look.get("fill") != look.get("stroke") or set(look) - {"fill", "stroke", "stroke-width"}:
            continue  # a rim of its own, or points that shine through each other
        drawn = " ".join(f"M {point.get('x')} {point.get('y')} h0" for point in points)
        width = 2 * radius + float(look.get("stroke-width", 1))
        pen = f"fill: none; stroke: {look['fill']}; stroke-width: {width:g}; stroke-linecap: round"
        group[:] = [ElementTree.Element("path", {"d": drawn, "style": pen})]


def _circle(path: ElementTree.Element) -> re.Match[str] | None:
    """The radius (group 1) of a path that is a circle by matplotlib: eight curves from its lowest point."""
    drawn = path.get("d", "")
    return re.match(r"M 0 ([\d.]+) C", drawn) if "id" in path.attrib and drawn.count("C") == 8 else None


def _share_style(group: ElementTree.Element) -> None:
    """Says once what all the points of a group say."""
    points: Sequence[ElementTree.Element] = list(group)
    if len(points) < 2 or any(point.tag != "use" for point in points) or "style" in group.attrib:
        return
    styles = {point.get("style") for point in points}
    style = styles.pop()
    if style is None or styles or GROUP_ONLY.search(style):
        return
    group.set("style", style)
    for point in points:
        del point.attrib["style"]

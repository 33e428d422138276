"""Style and scripts of a page: read once, without their comments and indents, and with the hashes that allow them."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources

COMMENT = re.compile(r"^\s*(?://.*|/\*.*\*/)$", re.MULTILINE)
TRAILING = re.compile(r"\s// .*$", re.MULTILINE)


@cache
def style() -> str:
    """The style sheet."""
    return _lean("page.css")


@cache
def script(name: str) -> str:
    """A script by its name: "page" for every page, "plot" for one with figures that can be zoomed."""
    return TRAILING.sub("", _lean(f"{name}.js"))


def _lean(name: str) -> str:
    lines = COMMENT.sub("", resources.files("continua.show").joinpath(name).read_text(encoding="utf-8")).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def policy(scripts: list[str]) -> str:
    """A content security policy: these scripts, styles and pictures in the page itself, and nothing from outside.

    Source: W3C, Content Security Policy Level 3, section 2.3.1 (hash sources).
    """
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )

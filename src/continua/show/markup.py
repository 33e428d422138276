"""Text inside markup: nothing that a user names can become a tag."""

import html

ALLOWED_CONTROLS = "\t\n"


def escaped(content: str) -> str:
    """The text for XML and HTML, in an element or an attribute; what XML 1.0 forbids is dropped."""
    return html.escape(allowed(content))


def allowed(content: str) -> str:
    """The text without what XML 1.0 forbids."""
    return "".join(character for character in content if _is_allowed(character))


def _is_allowed(character: str) -> bool:
    code = ord(character)
    if code < 0x20:
        return character in ALLOWED_CONTROLS
    return not (0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF))

"""The page of methods says what the classes say."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_that_of_the_classes():
    """After a change: python docs/make_methods.py."""
    spec = importlib.util.spec_from_file_location("make_methods", DOCS / "make_methods.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "methods.md").read_text(encoding="utf-8") == module.page()
    assert "| `DOP853` | 8 | 12 | 7 | yes | smooth, non-stiff problems" in module.page()

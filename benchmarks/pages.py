"""What a benchmark leaves behind: its numbers as JSON, and the page that is read, side by side."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def publish(folder: Path, name: str, record: Any, page: Callable[[Any], str]) -> None:
    """Write `name`.json and `name`.md; the numbers first, so that a page that fails loses none."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{name}.json").write_text(numbers, encoding="utf-8")
    (folder / f"{name}.md").write_text(page(record), encoding="utf-8")

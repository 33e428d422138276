"""A file that is written whole or not at all, and is on the disk when the writer returns."""

import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Put a file in the place of an older one; whoever reads, or is killed meanwhile, finds one of the two.

    Args:
        path: the file; its folder must be there.
        content: all of it.

    Raises:
        OSError: it cannot be written; the older one stays.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)

"""The metrics of a run for TensorBoard."""

import os
import shutil
from pathlib import Path

from continua.core import ArgumentError
from continua.train.run_folder import rows_of

EVENTS = "tensorboard"


def to_tensorboard(folder: str | os.PathLike[str]) -> Path:
    """Write what a run measured for TensorBoard; a second call writes it anew, with what came since.

    Args:
        folder: of a run of `train`, under way or ended.

    Returns:
        The folder to look at: `tensorboard --logdir` it. Curves are by step: the rows of epochs and those of a watcher.

    Raises:
        DataError: for a folder without metrics.
        ArgumentError: without the package tensorboardX.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ArgumentError("`to_tensorboard` needs the package tensorboardX. Run: pip install tensorboardX") from None
    rows, path = rows_of(folder), Path(folder).expanduser() / EVENTS
    shutil.rmtree(path, ignore_errors=True)
    with SummaryWriter(str(path)) as writer:
        for row in rows:
            kind = "epochs" if "epoch" in row else "watched"
            for name in row.keys() - {"epoch", "step"}:
                writer.add_scalar(f"{kind}/{name}", row[name], row["step"])
    return path

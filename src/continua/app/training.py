"""`continua train` and `continua tune`: from a configuration to a network."""

from pathlib import Path

from rich.console import Console


def train_command(configuration: Path) -> None:
    """Train a network on a table, as a TOML file says; a run that was stopped goes on where it was.

    Parameters
    ----------
    configuration
        A TOML file: data = "table.csv", target = "column", and the tables [model], [optimiser] and [training].
    """
    from continua.train import read_configuration, train_network

    console = Console(highlight=False, soft_wrap=True)
    asked = read_configuration(configuration)
    found = train_network(asked, progress=True)
    network, history = found.network, found.trained.history
    what = f"{len(network.classes)} classes" if network.classes else "a number, learned in spreads"
    lines = [
        f"read    {found.learned} rows to train on, {found.validated} to validate",
        f"        {len(network.features)} features, in spreads; target {network.target}: {what}",
        f"ended   {found.trained.why}",
    ]
    best = min(history, key=lambda row: row["validation"])
    told = ", ".join(f"{name} {best[name]:.4g}" for name in ("validation", "accuracy") if name in best)
    lines += [
        f"best    after epoch {best['epoch']}: {told} (training loss {best['loss']:.4g})",
        f"wrote   {asked.folder}",
    ]
    for line in lines:
        console.print(line, markup=False)

"""Times the estimators beside scikit-learn's at equal objective; writes docs/benchmarks/estimators.md and .json.

    python benchmarks/estimators.py [--only digits dense sparse planted lasso]

Each solver takes the largest tolerance among powers of ten whose objective is within 1e-8 of the best, relative, or its
smallest. `sparse` takes some minutes.
"""

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timing
from pages import publish

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("numpy", "scipy", "scikit-learn")
GAP = 1e-8  # of the objective: relative, of digits absolute and per sample
TOLERANCES = [10.0**-k for k in range(1, 13)]
TARGETS = {"digits": 0.55, "dense": 1.0, "sparse": 1.0}  # of scikit-learn's fastest; of digits newton-cg's

Record = dict[str, Any]
Maker = Callable[[float], Any]

INTRODUCTION = """# Estimators

Written by `python benchmarks/estimators.py`; all numbers are in [estimators.json](estimators.json).

Machine: {cpu}, {cores} cores, {system}, Python {python}. Versions: {versions}. {quiet}
One pinned core, CPU time in ms, medians. Each with the largest tolerance that brings the objective within 1e-8 of the
best; `–` where none does.

"""


def logistic(model: Any, X: Any, y: Any) -> float:
    """C Σ ℓ + |w|²/2."""
    import numpy as np
    from scipy.special import logsumexp

    z = np.asarray(X @ model.coef_.T) + model.intercept_
    z = z if z.shape[1] > 1 else np.column_stack([0 * z, z])
    return float(model.C * (logsumexp(z, axis=1) - z[np.arange(len(y)), y]).sum() + (model.coef_**2).sum() / 2)


def machine(model: Any, X: Any, y: Any) -> float:
    """The primal of `LinearSVC`."""
    import numpy as np

    margin = (2 * y - 1) * (np.asarray(X @ model.coef_.T)[:, 0] + model.intercept_)
    penalty = (np.sum(model.coef_**2) + np.sum(model.intercept_**2)) / 2
    return float(model.C * np.sum(np.maximum(0, 1 - margin) ** 2) + penalty)


def elastic(model: Any, X: Any, y: Any) -> float:
    """The objective of `Lasso`."""
    import numpy as np

    return float(np.mean((y - model.predict(X)) ** 2) / 2 + model.alpha * np.abs(model.coef_).sum())


def compared(
    makers: dict[str, Maker], objective: Callable[..., float], X: Any, y: Any, rounds: int, scale: float
) -> Record:
    """Times and gaps, at the tolerances that reach the goal."""
    best = min(objective(maker(TOLERANCES[-1]).fit(X, y), X, y) for name, maker in makers.items() if "continua" in name)
    rows, fits = {}, {}
    for name, maker in makers.items():
        for tolerance in TOLERANCES:
            gap = (objective(maker(tolerance).fit(X, y), X, y) - best) / (scale or abs(best))
            if gap <= GAP:
                fits[name] = lambda maker=maker, tolerance=tolerance: maker(tolerance).fit(X, y)
                break
        rows[name] = {"tolerance": tolerance, "gap": gap, "cpu": None}
    for name, found in timing.interleaved(fits, rounds).items():
        rows[name]["cpu"] = found.cpu
    return rows


def digits_task(rounds: int) -> Record:
    """Multinomial logistic regression."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    from continua import estimators

    X, y = load_digits(return_X_y=True)
    makers = {
        "continua": lambda tol: estimators.LogisticRegression(tol=tol),
        "scikit-learn newton-cg": lambda tol: LogisticRegression(solver="newton-cg", tol=tol, max_iter=10_000),
        "scikit-learn lbfgs": lambda tol: LogisticRegression(tol=tol, max_iter=10_000),
    }
    return {"digits": compared(makers, logistic, X / 16, y, rounds, len(y))}


def classes(features: int, density: float) -> Any:
    """10⁵ samples of two classes, by make_classification at seed 0, thinned to a share of non-zeros.

    All but four of its features are standard normal numbers that tell nothing, so of them only those are drawn that
    stay: whole, 10⁴ features would take 8 GB.
    """
    import numpy as np
    from scipy import sparse
    from sklearn.datasets import make_classification

    if density == 1:
        return make_classification(100_000, features, random_state=0)
    telling, y = make_classification(100_000, 4, random_state=0)
    rng, each = np.random.default_rng(0), round(density * features)
    columns = rng.integers(0, features, (100_000, each), np.int32)
    entries = rng.standard_normal(columns.shape)
    row, place = np.nonzero(columns < telling.shape[1])
    entries[row, place] = telling[row, columns[row, place]]
    starts = np.arange(0, entries.size + 1, each, np.int32)
    rows = sparse.csr_array((entries.ravel(), columns.ravel(), starts), (100_000, features))
    rows.sum_duplicates()
    return rows, y


def planted(features: int, density: float) -> Any:
    """10⁵ samples with as many non-zeros, whose two classes a plane with noise divides: every feature tells."""
    import numpy as np

    X, _ = classes(features, density)
    score = X @ np.random.default_rng(1).standard_normal(features)
    return X, (score + np.random.default_rng(2).standard_normal(len(score)) > 0).astype(int)


def two_classes(X: Any, y: Any, rounds: int) -> Record:
    """Logistic regression and a linear machine, beside liblinear and the solvers of scikit-learn."""
    from sklearn import linear_model, svm

    from continua import estimators

    # liblinear penalises the intercept of logistic regression: without one the objectives are the same.
    peers = {
        name: {"solver": name, "fit_intercept": False, "max_iter": 10_000}
        for name in ("liblinear", "lbfgs", "newton-cg")
    }
    chances: dict[str, Maker] = {"continua": lambda tol: estimators.LogisticRegression(tol=tol, fit_intercept=False)}
    for name, options in peers.items():
        chances[f"scikit-learn {name}"] = lambda tol, options=options: linear_model.LogisticRegression(
            tol=tol, **options
        )
    machines: dict[str, Maker] = {
        "continua": lambda tol: estimators.LinearSVC(tol=tol),
        "liblinear": lambda tol: svm.LinearSVC(tol=tol, dual=False, max_iter=10_000),
    }
    return {
        "logistic": compared(chances, logistic, X, y, rounds, 0.0),
        "machine": compared(machines, machine, X, y, rounds, 0.0),
    }


def dense_task(rounds: int) -> Record:
    """10⁵ × 100."""
    return two_classes(*classes(100, 1.0), rounds)


def sparse_task(rounds: int) -> Record:
    """10⁵ × 10⁴, one in a hundred."""
    return two_classes(*classes(10_000, 0.01), rounds)


def planted_task(rounds: int) -> Record:
    """The same size, harder: support vectors are few."""
    return two_classes(*planted(10_000, 0.01), rounds)


def lasso_task(rounds: int) -> Record:
    """1000 × 2000, of which twenty matter."""
    from sklearn.datasets import make_regression
    from sklearn.linear_model import Lasso

    from continua import estimators

    X, y = make_regression(1000, 2000, n_informative=20, noise=5.0, random_state=0)
    makers = {
        "continua": lambda tol: estimators.Lasso(1.0, tol=tol),
        "scikit-learn": lambda tol: Lasso(1.0, tol=tol, max_iter=100_000),
    }
    return {"lasso": compared(makers, elastic, X, y, rounds, 0.0)}


TASKS = {
    "digits": digits_task,
    "dense": dense_task,
    "sparse": sparse_task,
    "planted": planted_task,
    "lasso": lasso_task,
}


def tables(records: dict[str, Record]) -> list[str]:
    """A table for each model of each task."""
    lines: list[str] = []
    for task, models in records.items():
        for model, rows in models.items():
            title = task if model == task else f"{task}, {model}"
            lines += [f"## {title.capitalize()}", "", "| | ms | tolerance | gap |", "|---|--:|--:|--:|"]
            for name, row in rows.items():
                took = "–" if row["cpu"] is None else f"{row['cpu']:.1f}"
                lines.append(f"| {name} | {took} | {row['tolerance']:.0e} | {row['gap']:.1e} |")
            peers = [row["cpu"] for name, row in rows.items() if name != "continua" and row["cpu"]]
            if peers and rows["continua"]["cpu"]:
                ratio, most = rows["continua"]["cpu"] / min(peers), TARGETS.get(task)
                told = f" (target ≤ {most}, {'met' if ratio <= most else 'missed'})" if most else ""
                lines += ["", f"Over the fastest peer: {ratio:.2f}{told}.", ""]
    return lines


def page(record: Record) -> str:
    """The record as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    head = INTRODUCTION.format(**record["machine"], versions=versions, quiet=record["quiet"])
    return head + "\n".join(tables({name: record[name] for name in TASKS if name in record})).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=TASKS, default=list(TASKS), help="measure these anew")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    parser.add_argument("--quiet", default="", help="a sentence about what else the machine did")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that gets the page and the numbers")
    options = parser.parse_args()
    timing.pin_one_core()
    warnings.simplefilter("ignore")  # peers that run out of steps show it by their gap
    before = options.output / "estimators.json"
    record: Record = json.loads(before.read_text(encoding="utf-8")) if before.exists() else {}
    record |= {"machine": timing.machine(), "versions": timing.versions(PACKAGES), "quiet": options.quiet}
    for name in options.only:
        record[name] = TASKS[name](options.rounds)
        publish(options.output, "estimators", record, page)
    print(page(record))


if __name__ == "__main__":
    main()

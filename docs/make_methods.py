"""The table of methods, made from the classes; writes docs/methods.md.

python docs/make_methods.py
"""

import inspect
import re
from pathlib import Path

from continua import methods
from continua.methods import Method

PAGE = Path(__file__).parent / "methods.md"
FIRST_LINES = """# Methods

Written by `python docs/make_methods.py` from `continua.methods`. Evaluations are those of the equation in a step; a
slope that a step shares with the next one counts once. The order of the dense output is that of the values between
steps; it costs nothing during the solve. Methods that estimate their error take `rtol` and `atol`, the others fixed
steps. Of methods for equations with noise the order is the strong one, path by path; `weak_order` is that of means.
Such a method refuses noise that does not fit it, and names another.

| | order | evaluations | dense output | estimates its error | good for |
|---|--:|--:|--:|---|---|
"""


def good_for(method: type[Method]) -> str:
    """What the docstring recommends it for."""
    words = re.search(r"Good for: (.*?)(?=\s+Source:|\n\n|$)", inspect.getdoc(method) or "", re.DOTALL)
    assert words, f"the docstring of {method.__name__} says not what it is good for"
    return " ".join(words[1].split())


def row(method: type[Method]) -> str:
    evaluations = "as needed" if method.evaluations is None else method.evaluations
    noisy = issubclass(method, methods.StochasticMethod)
    dense = method.order if noisy else min(method.order, method.dense_order)
    estimates = "yes" if method.adaptive else "no"
    return f"| `{method.__name__}` | {method.order} | {evaluations} | {dense} | {estimates} | {good_for(method)} |"


def page() -> str:
    """All methods that can be used, by order."""
    named = [getattr(methods, name) for name in methods.__all__]
    found = [
        x
        for x in named
        if inspect.isclass(x) and issubclass(x, Method) and isinstance(getattr(x, "order", None), int | float)
    ]
    return FIRST_LINES + "\n".join(map(row, sorted(found, key=lambda m: (m.order, m.__name__)))) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

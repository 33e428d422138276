"""Whether an equation is autonomous: its slopes depend on the state alone."""

import numpy as np

from continua.core import Args, ArgumentError
from continua.equations import Equation
from continua.stability.arguments import States
from continua.stability.linearisation import slopes_and_jacobians

# In units of the fastest time scale: near, a little later, much later; no period divides them all.
TIMES = (0.0, 0.618, 31.4159)


def check_autonomous(verb: str, equation: Equation, args: Args, z: States) -> None:
    """Refuse an equation, in units in which its slopes are of order 1, whose slopes at the same states change."""
    first, *later = (slopes_and_jacobians(equation, z, args, t)[0] for t in TIMES)
    usable = np.isfinite(first).all(1)
    if any(np.abs(slopes - first)[usable].max(initial=0.0) > 1e-9 for slopes in later):
        raise ArgumentError(
            f"`equation` of `{verb}` must not depend on time. Got slopes that change with t. "
            "Hold its drive at one value, or make its phase a state."
        )

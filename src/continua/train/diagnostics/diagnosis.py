"""A training watched while it runs, for a small share of its time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from continua.core import ArgumentError, ArgumentTypeError, Scalar, short
from continua.models import MLP
from continua.train.diagnostics import finding
from continua.train.diagnostics.advice import Advice
from continua.train.diagnostics.chains import hidden_states, spectrum_of, state_jacobians
from continua.train.diagnostics.curvature import random_like, sharpness
from continua.train.diagnostics.figures import history
from continua.train.diagnostics.finding import Finding
from continua.train.diagnostics.layers import by_layer, layer_norms, update_ratios
from continua.train.diagnostics.noise import GradientNoise, in_parts, noise_of, part_gradients
from continua.train.diagnostics.swing import swing_response
from continua.train.diagnostics.terminal import table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Loss = Callable[[Any, Any], Any]
Chain = Callable[[Any, Any], tuple[Callable[[Array], Any], Array] | None]
SAMPLES = 4  # whose Jacobians over depth are looked at


class Diagnosis:
    r"""Watches a training: how far it is from its edge of stability, whether its loss falls, what its gradients do.

    Called with (step, model, batch, optimiser state) it looks, if it can afford to, and returns numbers by name; else
    nothing. So it serves `train(…, watch=Diagnosis(loss, optimiser))` and every loop written by hand. A look takes
    some tens of gradients; the next one comes when it is no more than `share` of the time since the last.

    Args:
        loss: `loss(model, batch)` returns one number, the mean over the samples, which are the first axis of every
            array of the batch.
        optimiser: as optax means it; its state is that of `eqx.filter(model, eqx.is_inexact_array)`.
        share: of the run's time that looking may take, compiling left out.
        chain: `chain(model, batch)` returns (states, start) for `jacobian_spectrum`, over the depth of a network or
            over the time of a recurrent one, or None for no spectrum. Without it a multi-layer perceptron is looked at
            over its depth, from the first samples of batch[0].
        products: at most so many products with the Hessian per look and form of sharpness.

    Attributes:
        findings: all that was seen, a `Finding` a look.

    Raises:
        ArgumentError: a share that is no positive number.
        ArgumentTypeError: a loss or optimiser of the wrong kind.

    Example:
        >>> from continua import optim
        >>> optimiser = optim.sgd(0.1)
        >>> watch = Diagnosis(lambda w, batch: jnp.mean((batch[0] @ w - batch[1]) ** 2), optimiser)
        >>> w, batch = jnp.zeros(2), (jnp.eye(2), jnp.ones(2))
        >>> seen = watch(0, w, batch, optimiser.init(w))
        >>> print(f"{seen['sharpness']:.3f} {seen['edge']:.3f} {seen['change']:.3f} {seen['bound']:.3f}")
        1.000 0.050 -0.190 -0.190
    """

    def __init__(
        self,
        loss: Loss,
        optimiser: Any,
        *,
        share: float = 0.1,
        chain: Chain | None = None,
        products: int = 15,
    ) -> None:
        if not callable(loss):
            raise ArgumentTypeError(
                f"`loss` of `Diagnosis` must be a function of model and batch. Got {short(loss)}. "
                "Use lambda model, batch: …"
            )
        if not callable(getattr(optimiser, "update", None)):
            raise ArgumentTypeError(
                f"`optimiser` of `Diagnosis` must have `update`. Got {short(optimiser)}. Use optim.adam(1e-3)."
            )
        if not share > 0:
            raise ArgumentError(f"`share` of `Diagnosis` must be a positive number. Got {short(share)}. Use 0.1.")
        self.findings: list[Finding] = []
        self._loss, self._optimiser, self._products = loss, optimiser, products
        self._chain = chain or depth
        self._guesses: Any = None
        self._budget = Budget(share)
        self._shown: Any = None

    def __call__(self, step: int, model: Any, batch: Any, optimiser_state: Any) -> dict[str, float]:
        """A look, where its time has come: what is seen, by name, else nothing.

        Args:
            step: how many steps are done.
            model: the model that they led to.
            batch: the next batch, or another.
            optimiser_state: the optimiser's state.
        """
        if not self._budget.allows():
            return {}
        jax.block_until_ready((model, optimiser_state))  # what still runs is not our time
        shapes = jax.tree.map(jnp.shape, jax.tree.leaves((model, batch)))
        with self._budget.spending(shapes):
            self.findings.append(self._look(step, model, batch, optimiser_state))
        if self._shown is not None:
            self._shown.update(table(self.findings, self.advice()))
        return finding.scalars(self.findings)

    def _look(self, step: int, model: Any, batch: Any, optimiser_state: Any) -> Finding:
        """One finding, from one program."""
        params = eqx.filter(model, eqx.is_inexact_array)
        names = by_layer(params)  # in their order, which what comes out of a program has lost
        if self._guesses is None:
            guess = random_like(params)
            self._guesses = jax.tree.map(lambda v: jnp.stack([v, v]), guess)
        fixed = Fixed(self._loss, self._optimiser, self._chain, self._products)
        seen = _seen(fixed, model, batch, optimiser_state, self._guesses)
        self._guesses = seen.guesses
        seen = jax.device_get(seen._replace(guesses=None))
        rest = {name: float(getattr(seen, name)) for name in ("loss", "change", "bound", "sharpness", "edge")}
        return Finding(
            step=int(step),
            samples=len(jax.tree.leaves(in_parts(batch)[0])[0]),
            signal=float(seen.noise.signal),
            scatter=float(seen.noise.scatter),
            gradients={name: float(seen.gradients[name]) for name in names},
            updates={name: float(seen.updates[name]) for name in names},
            spectrum=None if seen.jacobians is None else spectrum_of(seen.jacobians),
            **rest,
        )

    def advice(self) -> list[Advice]:
        """What to do about what was seen last, each with its reason."""
        return list(finding.advice(self.findings)) if self.findings else []

    def figure(self) -> "Figure":
        """The edge, the loss beside its bound, the layers and the noise over the steps, in one figure."""
        if not self.findings:
            raise ArgumentError("`figure` of `Diagnosis` needs a finding. Got none yet. Call the diagnosis first.")
        return history(self.findings)

    @contextmanager
    def live(self) -> Iterator["Diagnosis"]:
        """Shows what is seen in a table on the terminal while the block runs, if there is one: `with watch.live():`."""
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        if not console.is_terminal:
            yield self
            return
        with Live(console=console, auto_refresh=False) as shown:
            self._shown = _Refreshed(shown)
            try:
                yield self
            finally:
                self._shown = None


class _Refreshed(NamedTuple):
    """A live display that is drawn at every update, and not in between by a thread of its own."""

    live: Any

    def update(self, content: Any) -> None:
        """Draw it."""
        self.live.update(content, refresh=True)


def depth(model: Any, batch: Any) -> tuple[Callable[[Array], Any], Array] | None:
    """The hidden states of a multi-layer perceptron, from some samples of its inputs; None for another model."""
    inputs = jax.tree.leaves(batch)[0]
    if not isinstance(model, MLP) or inputs.ndim != 2:
        return None
    return partial(hidden_states, model), inputs[:SAMPLES]


class Budget:
    """Allows a look when the last one took no more than a share of the time since then."""

    def __init__(self, share: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.share, self.clock = share, clock
        self.cost, self.end = 0.0, -np.inf
        self._compiled: list[Any] = []

    def allows(self) -> bool:
        """Whether a look can be afforded."""
        return (self.clock() - self.end) * self.share >= self.cost

    @contextmanager
    def spending(self, shapes: Any) -> Iterator[None]:
        """Counts what the block costs, except with shapes that are new and for which it compiles."""
        begin = self.clock()
        yield
        self.end = self.clock()
        if shapes in self._compiled:
            self.cost = self.end - begin
        else:
            self._compiled.append(shapes)


class Fixed(NamedTuple):
    """What a program is made for."""

    loss: Loss
    optimiser: Any
    chain: Chain
    products: int


class Seen(NamedTuple):
    """A finding while it is still on the device; the vectors, of the curvature and of the edge, guess the next."""

    loss: Scalar
    change: Scalar
    bound: Scalar
    sharpness: Scalar
    edge: Scalar
    noise: GradientNoise
    gradients: dict[str, Scalar]
    updates: dict[str, Scalar]
    jacobians: list[Array] | None
    guesses: Any


@eqx.filter_jit
def _seen(fixed: Fixed, model: Any, batch: Any, state: Any, guesses: Any) -> Seen:
    """All that one batch tells."""
    loss, optimiser, chain, products = fixed
    links = chain(model, batch)
    params, rest = eqx.partition(model, eqx.is_inexact_array)

    def cost(params: Any, batch: Any) -> Scalar:
        return loss(eqx.combine(params, rest), batch)

    used, parts = in_parts(batch)
    size = len(jax.tree.leaves(parts)[0][0])
    gradient, scatter = noise_of(part_gradients(cost, params, parts), size)
    increment, steps = swing_response(optimiser, state, params, gradient)
    known = jnp.all(jnp.stack([jnp.all((d > 0) & (d < jnp.inf)) for d in jax.tree.leaves(steps)]))
    steps = jax.tree.map(lambda d: jnp.where(known, d, 1), steps)

    def here(params: Any) -> Scalar:
        return cost(params, used)

    both = jax.tree.map(lambda d: jnp.stack([jnp.ones_like(d), d]), steps)
    bent = jax.vmap(lambda d, v: sharpness(here, params, steps=d, guess=v, products=products))(both, guesses)
    edge = jnp.where(known, bent.largest[1] / 2, jnp.nan)
    before = here(params)
    after = here(jax.tree.map(jnp.add, params, increment))
    bound = _inner(gradient, increment) + edge * _inner(increment, jax.tree.map(jnp.divide, increment, steps))
    return Seen(
        before,
        after - before,
        bound,
        bent.largest[0],
        edge,
        scatter,
        layer_norms(gradient),
        update_ratios(increment, params),
        None if links is None else state_jacobians(*links),
        bent.vector,
    )


def _inner(x: Any, y: Any) -> Scalar:
    """The inner product of two trees."""
    first, *rest = (jnp.sum(a * b) for a, b in zip(jax.tree.leaves(x), jax.tree.leaves(y), strict=True))
    return sum(rest, start=first)

"""Switching between an explicit and a stiff method within one solve, as the equation turns stiff and back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, Instant, State, anywhere
from continua.methods.method import Method, Part, Slope, Step
from continua.methods.power_iteration import spectral_radius
from continua.methods.rodas5p import Rodas5P
from continua.methods.tsit5 import Tsit5

Outcome = TypeVar("Outcome")

GLANCE = 16
STIFF = 2.0
MILD = 1.0


class Switching(Method):
    explicit: Method = Tsit5()
    stiff: Method = Rodas5P()
    is_stiff: Any = False

    @property
    def order(self):
        return min(self.explicit.order, self.stiff.order)

    adaptive = True
    evaluations = None

    def prepared(self, equation):
        return self.stiff.prepared(equation)

    def parts(self, equation):
        return {**self.explicit.parts(equation), **self.stiff.parts(equation)}

    def start(self, equation, t, y, args):
        return self.explicit.start(equation, t, y, args)

    def memory(self, t):
        return jnp.zeros((3, *t.shape[1:]), t.dtype)

    def recalling(self, memory):
        return replace(self, is_stiff=memory[:1] > 0)

    def remember(self, equation, t, h, y, args, memory):
        stiff, count, lengths = memory[:1], memory[1:2], memory[2:]
        moved = h != 0
        count = count + moved.astype(count.dtype)
        lengths = lengths + jnp.where(moved, jnp.log(jnp.abs(jnp.where(moved, h, 1))), 0)
        due = moved & (count >= GLANCE)
        radius = lax.cond(jnp.any(due), lambda: spectral_radius(equation, t, y, args), lambda: jnp.zeros_like(t))
        reach = jnp.exp(lengths / GLANCE) * radius
        found = jnp.where(stiff > 0, reach > MILD, reach > STIFF).astype(stiff.dtype)
        new = jnp.concatenate([jnp.where(due, found, stiff), jnp.where(due, 0, count), jnp.where(due, 0, lengths)])
        return lax.stop_gradient(new)

    def step(self, equation, t, h, y, args, cache):
        def explicit(h):
            return self.explicit.step(equation, t, h, y, args, cache)

        def stiff(h):
            step = self.stiff.step(equation, t, h, y, args, None)
            end = jax.tree.map(jnp.add, y, step.increment)
            return Step(step.increment, step.error, self.explicit.start(equation, t + h, end, args))

        zero = jax.tree.map(jnp.zeros_like, y)
        return self._either(explicit, stiff, h, Step(zero, zero, cache))

    def interpolate(self, equation, t, h, y, args, theta):
        def of(method):
            return lambda h: method.interpolate(equation, t, h, y, args, theta)
        return self._either(of(self.explicit), of(self.stiff), h, y)

    def pullback(self, equation, t, h, y, args, cotangent):
        def of(method):
            return lambda h: method.pullback(equation, t, h, y, args, cotangent)
        return self._either(of(self.explicit), of(self.stiff), h, (cotangent, jax.tree.map(jnp.zeros_like, args)))

    def _either(self, explicit, stiff, h, idle):
        if self.is_stiff is False:
            return explicit(h)
        return lax.cond(self.is_stiff[0], stiff, explicit, h)

"""Things that swing: the states are a position and its velocity."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant
from continua.equations.equation import Equation, parameter


class HarmonicOscillator(Equation):
    r"""A mass on a spring, with damping.

    $$ x' = v, \qquad v' = -\omega^2 x - 2 \zeta \omega v $$

    Good values: ω = 1, ζ = 0.1 from (1, 0). Source: any text on mechanics, e.g. Landau & Lifshitz, Mechanics, § 25.
    """

    states = ("position", "velocity")
    omega: Float[Array, ""] = parameter(1.0, "1/time", "undamped angular frequency")
    zeta: Float[Array, ""] = parameter(0.1, "1", "damping ratio", sign="any")

    def __call__(self, t: Instant, y: Float[Array, "2"], args: Args) -> Float[Array, "2"]:
        """dy/dt of y = [position, velocity]."""
        position, velocity = y[0], y[1]
        return jnp.stack([velocity, -(self.omega**2) * position - 2 * self.zeta * self.omega * velocity])


class Duffing(Equation):
    r"""An oscillator with a cubic spring, driven by a cosine.

    $$ x' = v, \qquad v' = -\delta v - \alpha x - \beta x^3 + \gamma \cos \omega t $$

    Good values: δ = 0.3, α = −1, β = 1, γ = 0.5, ω = 1.2 from (1, 0) is chaotic; the default γ = 0 is the free one.
    Source: Duffing, Erzwungene Schwingungen bei veränderlicher Eigenfrequenz (1918).
    """

    states = ("position", "velocity")
    delta: Float[Array, ""] = parameter(0.3, "1/time", "damping", sign="any")
    alpha: Float[Array, ""] = parameter(-1.0, "1/time²", "linear stiffness", sign="any")
    beta: Float[Array, ""] = parameter(1.0, "1/(position²·time²)", "cubic stiffness", sign="any")
    gamma: Float[Array, ""] = parameter(0.0, "position/time²", "amplitude of the drive", sign="any")
    omega: Float[Array, ""] = parameter(1.2, "1/time", "angular frequency of the drive")

    def __call__(self, t: Instant, y: Float[Array, "2"], args: Args) -> Float[Array, "2"]:
        """dy/dt of y = [position, velocity]."""
        position, velocity = y[0], y[1]
        spring = -self.alpha * position - self.beta * position**3
        drive = self.gamma * jnp.cos(self.omega * t)
        return jnp.stack([velocity, -self.delta * velocity + spring + drive])


class VanDerPol(Equation):
    r"""An oscillator that feeds small swings and damps large ones.

    $$ x' = v, \qquad v' = \mu (1 - x^2) v - x $$

    Good values: μ = 1 from (2, 0); μ = 1000 is stiff. Source: van der Pol, Phil. Mag. 2 (1926) 978–992.
    """

    states = ("position", "velocity")
    mu: Float[Array, ""] = parameter(1.0, "1", "strength of the nonlinear damping")

    def __call__(self, t: Instant, y: Float[Array, "2"], args: Args) -> Float[Array, "2"]:
        """dy/dt of y = [position, velocity]."""
        position, velocity = y[0], y[1]
        return jnp.stack([velocity, self.mu * (1 - position**2) * velocity - position])


class Pendulum(Equation):
    r"""A pendulum of any amplitude, with friction.

    $$ \theta' = \omega, \qquad \omega' = -\omega_0^2 \sin \theta - c\, \omega $$

    with ω₀² = g/L. Good values: ω₀ = 3.13 s⁻¹ (one metre), c = 0.1 s⁻¹ from (2, 0), angles in radians.
    Source: Huygens, Horologium oscillatorium (1673); Landau & Lifshitz, Mechanics, § 11.
    """

    states = ("angle", "angular velocity")
    omega_0: Float[Array, ""] = parameter(3.13, "1/time", "angular frequency of small swings")
    c: Float[Array, ""] = parameter(0.1, "1/time", "friction", sign="any")

    def __call__(self, t: Instant, y: Float[Array, "2"], args: Args) -> Float[Array, "2"]:
        """dy/dt of y = [angle, angular velocity]."""
        angle, velocity = y[0], y[1]
        return jnp.stack([velocity, -(self.omega_0**2) * jnp.sin(angle) - self.c * velocity])

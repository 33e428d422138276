"""Every example runs, draws its figure and prints what the lesson is about."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TOOLS = {"make_rnn_reference"}  # needs torch, and its output is committed


def run(name, folder, *arguments):
    """What the example prints, warnings being errors."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
    source = str(EXAMPLES.parent / "src")
    programs = {  # of this run's tests: found where the settings are theirs
        "JAX_COMPILATION_CACHE_DIR": str(Path(os.environ["XDG_CACHE_HOME"]) / "continua"),
        "JAX_NUMPY_RANK_PROMOTION": "raise",
        "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    }
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": source} | programs
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern, text):
    """The one number that the pattern finds."""
    return float(re.search(pattern, text).group(1).replace("−", "-"))


def limits_and_derivatives(said):
    for name in ("x²", "sin", "eˣ"):
        part = said[said.index(f"{name}:") :]
        assert number(r"off by (\S+)\n", part) < number(r"limit gives \S+ ± (\S+),", part) < 1e-9
        assert 1e-10 < number(r"best at h = (\S+)", part) < 1e-6
        assert number(r"\(error (\S+)\)", part) < 1e-6
        assert number(r"h = 1e-16 gives (\S+)", part) == 0
    assert "2.1000, 2.0100, 2.0010 → 2.0000" in said
    assert "jax.grad gives 0.540302305868140" in said
    assert number(r"sin t up to (\S+)", said) < 1e-8
    assert "d/dx exp(-x**2)*sin(3*x) = -2*x*exp(-x**2)*sin(3*x) + 3*exp(-x**2)*cos(3*x)   (product rule" in said
    assert "|x| / x at 0: the sides differ: -1 from the left, 1 from the right" in said


def areas_and_volumes(said):
    assert [float(x) < 1e-12 for x in re.findall(r"off by (\S+),", said)] == [True] * 6
    assert "surface of the trumpet: the integral diverges at an end" in said
    assert number(r"grows by (\S+) per", said) == pytest.approx(0.8, abs=1e-11)


def gradient_descent_is_euler(said):
    assert all(float(x) < 1e-12 for x in re.findall(r"by hand the same to (\S+)", said))
    assert said.count("by hand") == 5
    assert number(r"α = 0.1: x_20 = +(\S+),", said) == pytest.approx(0.8**20, abs=1e-6)
    assert number(r"α = 1.0: x_20 = +(\S+),", said) == 1
    assert number(r"α = 1.1: x_20 = +(\S+),", said) == pytest.approx(1.2**20, rel=1e-6)
    assert number(r"0.8\^k is at most (\S+)", said) < 1e-15


def lagrange_multipliers(said):
    assert number(r"corner \((\S+),", said) == pytest.approx(2**0.5, abs=1e-6)
    assert number(r"λ = (\S+)", said) == pytest.approx(4, abs=1e-5)
    assert number(r"more: (\S+) of area", said) == pytest.approx(4, rel=1e-3)
    assert number(r"(\S+) away, squared", said) == pytest.approx(16 / 5, abs=1e-6)
    assert number(r"descending in λ (\S+) away", said) > 10
    assert number(r"ascending (\S+)", said) < 1e-3


def linear_regression(said):
    assert said.count("slope 1.000000, intercept 0.500000") == 3
    assert number(r"ones: slope (\S+),", said) == pytest.approx(62.5 / 55, abs=1e-6)


def logistic_regression_and_svm(said):
    assert all(float(x) < 1e-6 for x in re.findall(r"coefficients to (\S+)\n", said))
    assert said.count("scikit-learn's coefficients") == 2
    assert all(int(x) < 15 for x in re.findall(r"right after (\d+) steps", said))
    assert abs(number(r"descent: (\S+) above", said)) < 1e-9
    assert number(r"and \+1: (\S+) right", said) < 0.6 < 0.85 < number(r"regression: (\S+) right", said)


def momentum_and_adam(said):
    assert said.count("intercept 0.5000, slope 1.0000; equal to optax in every bit: True") == 3
    assert all(float(x) < 1e-3 for x in re.findall(r"at 0.99 .* \|w\| = (\S+) after", said))
    assert not any(float(x) < 1e3 for x in re.findall(r"at 1.01 .* \|w\| = (\S+) after", said))


def newton_and_conjugate_gradients(said):
    assert said.count("MINIMUM at [1. 1.]") == 3
    assert number(r"20 parameters, conjugate gradients: (\d+) steps", said) == 20
    assert number(r"20 parameters, Newton: (\d+) steps", said) == 1
    first, second = (number(rf"last steps: {before}(\S+?)(?:,|\n)", said) for before in (r"\S+ ", r"\S+ \S+ "))
    assert second > 1.7 * first
    assert "from the top of a hill: MAXIMUM" in said


def partial_derivatives(said):
    assert "∇f at (1, 0.5) = [2. 1.]" in said
    assert "gradient right: 2 of 2 entries agree" in said
    assert number(r"steepest towards (\S+)°", said) == pytest.approx(np.degrees(np.arctan2(1, 2)), abs=1)
    assert number(r"slope there (\S+) =", said) == pytest.approx(np.sqrt(5), abs=1e-3)
    assert number(r"along the contour (\S+)\n", said) == 0
    assert "a minimum; Δf = 4" in said
    assert "from five values: 0.5" in said


def back_propagation_by_hand(said):
    differences = [float(x) for x in re.findall(r"jax.grad the same to (\S+)\n", said)]
    assert len(differences) == 4
    assert max(differences) < 1e-14
    assert number(r"loss \S+ → (\S+) after", said) < 0.05
    learned = [float(x) for x in re.search(r"XOR learned: \[(.*)\]", said).group(1).split()]
    np.testing.assert_allclose(learned, [0, 1, 1, 0], atol=0.01)


def geodesics(said):
    assert number(r"other side to (\S+)\n", said) < 1e-7
    for place, curvature in (("outside", 1 / 3), ("on top", 0), ("inside", -1)):
        numbers = re.search(rf"{place}: K = (\S+), from lengths alone (\S+)\n", said).groups()
        assert [float(each) for each in numbers] == pytest.approx([curvature] * 2, abs=1e-4)


def rnn_is_an_ode(said):
    assert number(r"RNNCell's outputs to (\S+)", said) < 1e-15
    assert number(r"read every τ: (\S+) away", said) > 0.1
    assert number(r"late in tanh: (\S+) away", said) > 0.1


def lynx_hare(said):
    assert said.startswith("Lotka–Volterra,")
    assert number(r"alpha = (\S+),", said) == pytest.approx(0.48, abs=0.01)
    assert number(r"1 ahead: error (\S+) of", said) < number(r"1 ahead: .*, \S+ (\S+)\n", said)


def bouncing_ball(said):
    assert number(r"third bounce: (\S+) from", said) < 1e-12
    assert number(r"derivative in e: (\S+),", said) == pytest.approx(np.sqrt(2 / 9.81) * 5.2, abs=1e-8)
    assert number(r", (\S+) from its closed form$", said.strip()) < 1e-8


def ensemble(said):
    assert said.startswith("100,000 pendulums, all at the end: True")
    assert number(r"steps of each: (\d+) to", said) > 20
    assert number(r"the pendulum of the mean start swings to (\S+)", said) > 1
    assert number(r"the mean of all pendulums swings to (\S+)", said) < 0.5


def kepler(said):
    lines = [(line.split(",")[0], re.findall(r"(\d\S*e-\d+)", line)[-2:]) for line in said.splitlines()]
    swings = {name: [float(x) for x in found] for name, found in lines}
    assert swings["Verlet"][1] < 1.05 * swings["Verlet"][0] < 1e-2
    assert swings["Yoshida6"][1] < 1.05 * swings["Yoshida6"][0] < 1e-5
    assert swings["Tsit5"][1] > 5 * swings["Tsit5"][0]


def stochastic_volatility(said):
    assert number(r"after a year: (\S+),", said) == pytest.approx(np.exp(0.02), abs=0.006)  # four standard errors
    low, middle, high = map(float, re.search(r"0.8, 1.0, 1.2: (\S+), (\S+), (\S+)", said).groups())
    assert low > middle + 0.02 > high + 0.04
    assert number(r"theta (\S+),", said) == pytest.approx(0.57, abs=0.05)


def robertson(said):
    assert said.startswith("Switching")
    assert number(r"error there: (\S+)\n", said) < 1e-6
    assert number(r"1 within (\S+)\n", said) < 1e-12
    assert number(r"1e2 changes by (\S+) per", said) == pytest.approx(0.2047, abs=1e-4)


def long_gradient(said):
    sizes = [float(size) for size in re.findall(r"steps: +(\S+) MiB", said)]
    assert sizes[-1] < 8 < 700 < number(r"1,000,000 steps: .*take +(\S+) MiB", said)
    assert number(r"steps: (\S+), where", said) == pytest.approx(number(r"closed form is (\S+)", said), rel=1e-6)


def kernels_are_operators(said):
    assert "sobel: ∂x + h²/6 ∂xxx + h²/4 ∂xyy + …" in said
    assert "along a row: -1/12, 16/12, -60/12, 16/12, -1/12" in said
    assert number(r"differ by at most (\S+)\n", said) < 0.01
    assert number(r"runs from (\S+) to", said) < -900
    assert "signed: -0.50 to 0.50" in said


def heat_equation(said):
    assert number(r"explicit step: (\S+),", said) == pytest.approx(number(r"Δx²/2D = (\S+)\n", said), rel=2e-3)
    for name, most in (("explicit", 2e-3), ("implicit", 2e-3), ("symbol", 2e-4)):
        assert number(rf"{name}: at t = 0.5 at most (\S+) from", said) < most
    assert "Use Fixed(0.002), or RKC()" in said
    assert number(r"the rod is (\S+) warm", said) > 10


def stopping_rules_and_rates(said):
    assert "MINIMUM" in said
    assert number(r"gradient: (\S+) from", said) < 2e-6
    assert number(r"gradient: \S+ from the minimum after (\d+) steps", said) < 200
    for why in (
        "norm 9.82e-07 is below 1e-06",
        "in one epoch, less than 1e-10 of itself",
        "the budget of 30 steps is spent",
    ):
        assert why in said
    assert number(r"other units: slope (\S+) where", said) < 0.1
    assert 0.01 < number(r"rate finder: (\S+);", said) < number(r"2/λ = (\S+)\n", said)
    assert number(r"that falls: on average (\S+) from", said) < 0.2 * number(r"that stays: on average (\S+) from", said)


def tuning_by_itself(said):
    assert 3 <= number(r"killed after (\d+) trials", said) < 16
    assert number(r"; (\d+) in the end", said) == 16
    assert number(r"loss (\S+)\n", said) < 0.6


def shortest_path(said):
    waited, walked = number(r"door: (\S+) s;", said), number(r"T: (\S+) s\n", said)
    assert waited < walked < 1.03 * waited
    assert number(r"higher: (\S+) s,", said) == pytest.approx(-0.01 * waited, abs=1e-4)


def kuramoto_sivashinsky(said):
    assert number(r"at the end: (\S+),", said) == pytest.approx(number(r"gained: (\S+)\n", said), rel=1e-3)
    assert number(r"exp\((\S+) t\),", said) == pytest.approx(0.048, abs=0.008)  # over 10,000 units of time: ±0.003


def vanishing_and_exploding_gradients(said):
    assert number(r"sigmoid: a gradient arrives (\S+) times as long, vanishing", said) < 1e-6
    losses = [float(x) for x in re.findall(r"of Adam (\S+)\n", said)]
    assert losses[0] == pytest.approx(np.log(2), abs=0.01)  # a guess
    assert max(losses[1:]) < 0.5
    assert said.count("healthy; loss") == 3
    assert all(word in said for word in ("→ activation", "→ initialisation", "→ normalise", "→ residual steps"))
    assert re.findall(r"steps of \S+: \S+ (\w+)", said) == ["vanishing", "healthy", "exploding", "healthy"]
    assert number(r"100 steps: (\S+) long", said) > 1e3
    assert number(r"clipped (\S+)\n", said) == 1


def lyapunov_stability(said):
    kept, lost = (re.search(rf"{name} friction: .* energy (\S+) → (\S+)\n", said).groups() for name in ("out", "with"))
    assert kept[0] == kept[1] == lost[0] == "0.6376"
    assert float(lost[1]) < 1e-3
    proven, refuted = number(r"where V < (\S+);", said), number(r"point where V = (\S+)\n", said)
    assert 0.98 * refuted < proven < refuted
    assert "more in 100 of 100 steps" in said


CHECKS = (
    limits_and_derivatives,
    areas_and_volumes,
    gradient_descent_is_euler,
    lagrange_multipliers,
    linear_regression,
    logistic_regression_and_svm,
    lyapunov_stability,
    momentum_and_adam,
    newton_and_conjugate_gradients,
    partial_derivatives,
    back_propagation_by_hand,
    geodesics,
    rnn_is_an_ode,
    lynx_hare,
    bouncing_ball,
    ensemble,
    kepler,
    stochastic_volatility,
    robertson,
    long_gradient,
    kernels_are_operators,
    heat_equation,
    stopping_rules_and_rates,
    tuning_by_itself,
    shortest_path,
    vanishing_and_exploding_gradients,
    kuramoto_sivashinsky,
)
LESSONS = {check.__name__: check for check in CHECKS}
FIGURES = {"rnn_is_an_ode": "rnn_is_an_ode.png", "lynx_hare": "lynx-hare.svg"}  # without an argument


@pytest.mark.parametrize("name", LESSONS)
def test_example(name, tmp_path):
    """The figure goes to the path given; without one, beside the reader."""
    figure = FIGURES.get(name, "figure.png")
    LESSONS[name](run(name, tmp_path, *[figure] * (name not in FIGURES)))
    assert [p.name for p in tmp_path.iterdir()] == [figure]
    assert (tmp_path / figure).stat().st_size > 10_000


def test_every_example_is_tested_and_short():
    assert {p.stem for p in EXAMPLES.glob("*.py")} == set(LESSONS) | TOOLS
    for name in LESSONS:
        source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
        code = source.split('"""', 2)[2]
        assert sum(bool(line.strip()) for line in code.splitlines()) < 60
        assert "continua" in code

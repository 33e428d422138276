"""The reactions of polluted air: 25 reactions of 20 species, solved without naming a method.

Verwer, SIAM J. Sci. Comput. 15 (1994) 1243–1250; the values at 60 minutes are those of the Bari/CWI test set.
"""

import re

import jax.numpy as jnp
import numpy as np

import continua
from continua.methods import Switching

REACTIONS = """
    NO2 → NO + O3P            0.35        NO + O3 → NO2             26.6
    HO2 + NO → NO2 + OH       12300       HCHO → HO2 + HO2 + CO     0.86e-3
    HCHO → CO                 0.82e-3     HCHO + OH → HO2 + CO      15000
    ALD → MEO2 + HO2 + CO     0.13e-3     ALD + OH → C2O3           24000
    C2O3 + NO → NO2 + MEO2 + CO2  16500   C2O3 + NO2 → PAN          9000
    PAN → C2O3 + NO2          0.022       MEO2 + NO → CH3O + NO2    12000
    CH3O → HCHO + HO2         1.88        NO2 + OH → HNO3           16300
    O3P → O3                  4.8e6       O3 → O1D                  0.35e-3
    O3 → O3P                  0.0175      O1D → OH + OH             1e8
    O1D → O3P                 4.44e11     SO2 + OH → SO4 + HO2      1240
    NO3 → NO                  2.1         NO3 → NO2 + O3P           5.78
    NO2 + O3 → NO3            0.0474      NO3 + NO2 → N2O5          1780
    N2O5 → NO3 + NO2          3.12
"""
# Species, at the start, after 60 minutes (in parts per million).
CONCENTRATIONS = """
    NO2   0      0.5646255480022769e-01    NO    0.2    0.1342484130422339
    O3P   0      0.4139734331099427e-08    O3    0.04   0.5523140207484359e-02
    HO2   0      0.2018977262302196e-06    OH    0      0.1464541863493966e-06
    HCHO  0.1    0.7784249118997964e-01    CO    0.3    0.3245075353396018
    ALD   0.01   0.7494013383880406e-02    MEO2  0      0.1622293157301561e-07
    C2O3  0      0.1135863833257075e-07    CO2   0      0.2230505975721359e-02
    PAN   0      0.2087162882798630e-03    CH3O  0      0.1396921016840158e-04
    HNO3  0      0.8964884856898295e-02    O1D   0      0.4352846369330103e-17
    SO2   0.007  0.6899219696263405e-02    SO4   0      0.1007803037365946e-03
    NO3   0      0.1772146513969984e-05    N2O5  0      0.5682943292316392e-04
"""
NAMES, START, END = (np.array(CONCENTRATIONS.split()[i::3]) for i in range(3))
NITROGEN = {"NO2": 1, "NO": 1, "PAN": 1, "HNO3": 1, "NO3": 1, "N2O5": 2}


def reactions():
    """How many of each species a reaction takes and makes, [reaction, species] twice, and its rate constant."""
    laws, rates = zip(*re.findall(r"(\S.*? → .*?)  +(\S+)", REACTIONS), strict=True)
    sides = [[side.split(" + ") for side in law.split(" → ")] for law in laws]
    takes, makes = (np.array([[side[i].count(name) for name in NAMES] for side in sides], float) for i in (0, 1))
    return takes, makes, np.array(rates, float)


def test_pollution_needs_no_method():
    takes, makes, rates = reactions()
    assert takes.shape == (25, 20)

    def slope(t, y, args):
        return (makes - takes).T @ (rates * jnp.prod(jnp.where(takes > 0, y[None], 1.0), 1))

    options = {"rtol": 1e-7, "atol": 1e-20, "max_steps": 8000}
    found = continua.solve(slope, jnp.asarray(START.astype(float)), [0.0, 60.0], **options)
    assert isinstance(found.question.method, Switching)
    np.testing.assert_allclose(found.ys[-1], END.astype(float), rtol=1e-6)
    atoms = np.array([NITROGEN.get(name, 0.0) for name in NAMES])  # no reaction makes or takes any
    np.testing.assert_allclose(found.ys @ atoms, 0.2, rtol=1e-12)

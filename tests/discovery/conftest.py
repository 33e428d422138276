"""Models that several tests look at, each fitted once."""

import pytest

import continua
from continua.files import bundled_record

from .records import additive, record, table


@pytest.fixture(scope="session")
def hares():
    """Lynx and hare as they ship."""
    return continua.fit(bundled_record())


@pytest.fixture(scope="session")
def yeast():
    """Logistic growth, one state."""
    times, y = record("Logistic")
    return continua.fit(table(times, additive(y, 0.02, 5), ("yeast",)))


@pytest.fixture(scope="session")
def epidemic():
    """Three states, in columns that do not stand in the order of the law."""
    times, y = record("SIR")
    return continua.fit(table(times, additive(y, 0.02, 9)[:, [2, 0, 1]], ("R", "S", "I")))

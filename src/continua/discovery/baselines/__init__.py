"""Forecasts that know no law, for a law to beat: persistence, seasonal-naive and exponential smoothing."""

from continua.discovery.baselines.exponential_smoothing import ETS
from continua.discovery.baselines.forecaster import Fittable, Fitted, Forecaster, NotAvailable, Outlook
from continua.discovery.baselines.grid import Grid, regular_grid
from continua.discovery.baselines.naive import Persistence, SeasonalNaive
from continua.discovery.baselines.periods import detect_period, shortest_period
from continua.discovery.baselines.rolling_errors import (
    RollingErrors,
    on_common_ground,
    rolling_errors,
    spaced_origins,
)

__all__ = [
    "ETS",
    "Fittable",
    "Fitted",
    "Forecaster",
    "Grid",
    "NotAvailable",
    "Outlook",
    "Persistence",
    "RollingErrors",
    "SeasonalNaive",
    "detect_period",
    "on_common_ground",
    "regular_grid",
    "rolling_errors",
    "shortest_period",
    "spaced_origins",
]

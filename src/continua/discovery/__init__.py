"""From data to equation: fit, compare, forecast, report."""

from continua.discovery.figures import record_figure
from continua.discovery.fitting import NoLawFound, fit
from continua.discovery.following import CannotFollow, Followed, follow
from continua.discovery.forecasting import Forecast
from continua.discovery.law import law_lines
from continua.discovery.model import Model, Rival, load
from continua.discovery.rolling import Skill

__all__ = [
    "CannotFollow",
    "Followed",
    "Forecast",
    "Model",
    "NoLawFound",
    "Rival",
    "Skill",
    "fit",
    "follow",
    "law_lines",
    "load",
    "record_figure",
]

"""From data to equation: fit, compare, forecast, report."""

from continua.discovery.equation_discovery import EquationDiscovery
from continua.discovery.figures import record_figure
from continua.discovery.fitting import fit
from continua.discovery.following import CannotFollow, Followed, follow
from continua.discovery.forecasting import Forecast
from continua.discovery.law import law_lines
from continua.discovery.model import Model, Rival, plural
from continua.discovery.rolling import Skill
from continua.discovery.storage import load
from continua.discovery.unexplained import NO_EQUATION, Unexplained

__all__ = [
    "NO_EQUATION",
    "CannotFollow",
    "EquationDiscovery",
    "Followed",
    "Forecast",
    "Model",
    "Rival",
    "Skill",
    "Unexplained",
    "fit",
    "follow",
    "law_lines",
    "load",
    "plural",
    "record_figure",
]

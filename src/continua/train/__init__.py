"""Training: any model, any optimiser."""

from continua.train.configuration import Configuration, read_configuration
from continua.train.network import Fitted, Network, load_network, train_network
from continua.train.rate_finder import RateSearch, find_rate
from continua.train.stopping import Budget, GradientBelow, LossLevel, Patience, StoppingRule
from continua.train.training import FailedTraining, Trained, train
from continua.train.tuning import Tuned, tune

__all__ = [
    "Budget",
    "Configuration",
    "FailedTraining",
    "Fitted",
    "GradientBelow",
    "LossLevel",
    "Network",
    "Patience",
    "RateSearch",
    "StoppingRule",
    "Trained",
    "Tuned",
    "find_rate",
    "load_network",
    "read_configuration",
    "train",
    "train_network",
    "tune",
]

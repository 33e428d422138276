"""Training: any model, any optimiser."""

from continua.train.stopping import Budget, GradientBelow, LossLevel, Patience, StoppingRule
from continua.train.training import FailedTraining, Trained, train

__all__ = [
    "Budget",
    "FailedTraining",
    "GradientBelow",
    "LossLevel",
    "Patience",
    "StoppingRule",
    "Trained",
    "train",
]

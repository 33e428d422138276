"""Training: any model, any optimiser."""

from continua.train.configuration import Configuration, read_configuration
from continua.train.diagnostics import (
    Advice,
    Diagnosis,
    Finding,
    GradientNoise,
    JacobianSpectrum,
    Swing,
    gradient_noise,
    hidden_states,
    jacobian_spectrum,
    layer_norms,
    sharpness,
    swing_response,
    update_ratios,
)
from continua.train.network import Fitted, Network, load_network, train_network
from continua.train.rate_finder import RateSearch, find_rate
from continua.train.stopping import Budget, GradientBelow, LossLevel, Patience, StoppingRule
from continua.train.tensorboard import to_tensorboard
from continua.train.training import FailedTraining, Trained, train
from continua.train.tuning import Tuned, tune

__all__ = [
    "Advice",
    "Budget",
    "Configuration",
    "Diagnosis",
    "FailedTraining",
    "Finding",
    "Fitted",
    "GradientBelow",
    "GradientNoise",
    "JacobianSpectrum",
    "LossLevel",
    "Network",
    "Patience",
    "RateSearch",
    "StoppingRule",
    "Swing",
    "Trained",
    "Tuned",
    "find_rate",
    "gradient_noise",
    "hidden_states",
    "jacobian_spectrum",
    "layer_norms",
    "load_network",
    "read_configuration",
    "sharpness",
    "swing_response",
    "to_tensorboard",
    "train",
    "train_network",
    "tune",
    "update_ratios",
]

"""What a training does: how stable it is, how noisy, and what its gradients meet on their way."""

from continua.train.diagnostics.advice import Advice
from continua.train.diagnostics.chains import JacobianSpectrum, hidden_states, jacobian_spectrum
from continua.train.diagnostics.curvature import sharpness
from continua.train.diagnostics.diagnosis import Diagnosis
from continua.train.diagnostics.finding import Finding
from continua.train.diagnostics.layers import layer_norms, update_ratios
from continua.train.diagnostics.noise import GradientNoise, gradient_noise
from continua.train.diagnostics.swing import Swing, swing_response

__all__ = [
    "Advice",
    "Diagnosis",
    "Finding",
    "GradientNoise",
    "JacobianSpectrum",
    "Swing",
    "gradient_noise",
    "hidden_states",
    "jacobian_spectrum",
    "layer_norms",
    "sharpness",
    "swing_response",
    "update_ratios",
]

"""Training: any model, any optimiser."""

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

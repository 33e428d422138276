"""Training: any model, any optimiser."""

__all__: list[str] = []

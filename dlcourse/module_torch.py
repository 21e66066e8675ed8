"""Parameters and modules in PyTorch: ``torch.nn`` has them all."""

from torch.nn import Module, Parameter, Sequential

__all__ = ["Module", "Parameter", "Sequential"]

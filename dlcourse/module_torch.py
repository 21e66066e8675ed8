"""Parameters and modules in PyTorch: ``torch.nn`` has them all."""

from torch.nn import Flatten, Module, Parameter, Sequential

__all__ = ["Flatten", "Module", "Parameter", "Sequential"]

"""The shared package of the course: NumPy references and PyTorch counterparts of everything taught.

A topic is a pair of files: ``linear.py`` holds the NumPy reference, ``linear_torch.py`` beside it
the PyTorch counterpart with the same names. Nothing is imported here, so that the NumPy half runs
where PyTorch is not installed.
"""

__version__ = "0.1.0"

"""What a reader can set: each control of a widget, with its range and its check.

A widget lists its controls once. The browser builds sliders and menus from the list, and Python
checks with the same list what comes back.
"""

from dataclasses import dataclass

import numpy as np

from ..validation import check_array, check_choice, check_integer, check_number, describe

__all__ = ["Choice", "Counter", "Drawing", "Slider", "Toggle"]


def whole_number(value, control):
    """Return ``value`` as an int if it is a whole number in the control's range."""
    if isinstance(value, float) and value.is_integer():   # JavaScript has one type of number
        value = int(value)
    check_integer(value, control.name, low=control.low, high=control.high)
    return value


@dataclass(frozen=True)
class Slider:
    """A number between two ends.

    Parameters
    ----------
    name : str
        The argument of ``compute``.
    label : str
        What the reader sees beside it.
    low, high : float
        Smallest and largest value, both included.
    step : float
        Distance of neighbouring positions; with ``scale="log"`` in powers of ten.
    default : float
    scale : {"linear", "log"}, default "linear"
        With ``"log"`` the handle moves evenly through powers of ten.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    default: float
    scale: str = "linear"
    kind: str = "slider"

    def check(self, value):
        """Return ``value`` if it is a number in range; an integer where ends and step are integers."""
        if all(isinstance(end, int) for end in (self.low, self.high, self.step)):
            return whole_number(value, self)
        check_number(value, self.name, low=self.low, high=self.high)
        return value


@dataclass(frozen=True)
class Choice:
    """One of several named options.

    Parameters
    ----------
    name, label : str
    options : tuple of (str, str)
        The value that ``compute`` takes, and what the reader sees.
    default : str
    """

    name: str
    label: str
    options: tuple
    default: str
    kind: str = "choice"

    def check(self, value):
        """Return ``value`` if it is one of the options."""
        check_choice(value, self.name, tuple(option for option, _ in self.options))
        return value


@dataclass(frozen=True)
class Toggle:
    """Yes or no.

    Parameters
    ----------
    name, label : str
    default : bool
    """

    name: str
    label: str
    default: bool
    kind: str = "toggle"

    def check(self, value):
        """Return ``value`` if it is a bool."""
        if not isinstance(value, bool):
            raise TypeError(f"{self.name}: expected True or False, got {describe(value)}")
        return value


@dataclass(frozen=True)
class Counter:
    """A whole number that a button of the widget's own picture advances: a seed, a step, a restart.

    Parameters
    ----------
    name : str
    default : int, default 0
    low, high : int
        Smallest and largest value, both included.
    """

    name: str
    default: int = 0
    low: int = 0
    high: int = 1_000_000
    kind: str = "counter"

    def check(self, value):
        """Return ``value`` if it is a whole number in range."""
        return whole_number(value, self)


@dataclass(frozen=True)
class Drawing:
    """Numbers that the reader draws or drags, such as the pixels of an image or the places of points.

    Parameters
    ----------
    name : str
    shape : tuple of (int or str)
        As `dlcourse.validation.check_array` takes it: a letter stands for any length.
    low, high : float
        Smallest and largest value, both included.
    default : tuple
        Nested as an array of that shape would be.
    """

    name: str
    shape: tuple
    low: float
    high: float
    default: tuple
    kind: str = "drawing"

    def check(self, value):
        """Return ``value`` as a float64 array if its shape is right and its numbers are in range."""
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{self.name}: expected numbers of shape {self.shape}, got {describe(value)}") from None
        check_array(array, self.name, shape=self.shape)
        if not np.all((array >= self.low) & (array <= self.high)):
            raise ValueError(f"{self.name}: expected numbers from {self.low} to {self.high}, got "
                             f"{array.min():g} to {array.max():g}")
        return array

"""The numbers that a widget shows under the names which Python gives them."""

import math

import numpy as np

from dlcourse.widgets import host


def named(name, inputs):
    """Compute natively what a widget shows: ``{"slope": 0.2, "best[1]": 3.0}``, finite numbers only."""
    checked = {control.name: control.check(inputs[control.name]) for control in host.load(name).CONTROLS}
    found = {}
    for key, value in host.load(name).compute(**checked).items():
        if isinstance(value, np.ndarray) and value.ndim == 1 and value.size <= 20:
            found |= {f"{key}[{i}]": float(number) for i, number in enumerate(value)}
        elif isinstance(value, int | float | np.number) and not isinstance(value, bool):
            found[key] = float(value)
    return {key: number for key, number in found.items() if math.isfinite(number)}

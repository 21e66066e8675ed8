"""Parity cases of `dlcourse.regularizers`."""

import numpy as np

from dlcourse import regularizers, regularizers_torch
from dlcourse.interop import to_torch
from dlcourse.module import Parameter
from dlcourse.module_torch import Parameter as ParameterTorch
from dlcourse.parity import Comparison, parity_case

CONSTRUCTORS = {
    "L1": [(0.1,), (0.0,), (2,)],
    "L2": [(0.1,), (0.0,), (2,)],
    "ElasticNet": [(0.1, 0.3), (0.0, 0.5), (0.5, 0.0)],
}


def register(name, arguments):
    @parity_case(f"regularizers.{name}", rows=(1, 5), columns=(1, 5), arguments=arguments, weight=[1.0, 0.3])
    def penalty(rng, dtype, device, rows, columns, arguments, weight):
        """Matrix, vector and zeros; the gradient is added to what a loss has left there."""
        values = [
            rng.standard_normal((rows, columns)).astype(dtype),
            rng.standard_normal(columns).astype(dtype),
            rng.integers(-1, 2, (2, columns)).astype(dtype),
        ]
        left = [np.ones_like(value) for value in values]
        ours = [Parameter(value) for value in values]
        theirs = [ParameterTorch(to_torch(value, device)) for value in values]
        for parameter, tensor, grad in zip(ours, theirs, left, strict=True):
            parameter.accumulate(grad)
            tensor.grad = to_torch(grad, device)

        reference = getattr(regularizers, name)(*arguments)
        value = reference(ours)
        reference.backward(weight)
        counterpart = getattr(regularizers_torch, name)(*arguments)(theirs)
        (weight * counterpart).backward()

        return [Comparison("forward", "penalty", value, counterpart)] + [
            Comparison("gradient", f"parameter {i}", parameter.grad, tensor.grad)
            for i, (parameter, tensor) in enumerate(zip(ours, theirs, strict=True))
        ]


for _name, _arguments in CONSTRUCTORS.items():
    register(_name, _arguments)

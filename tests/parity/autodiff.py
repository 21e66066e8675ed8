"""Parity cases of `dlcourse.autodiff`: the same Python function, run on tensors of either twin."""

from dlcourse import autodiff, autodiff_torch
from dlcourse.interop import to_torch
from dlcourse.parity import Comparison, parity_case

from . import away_from


def compare(rng, device, function, *arrays):
    """Evaluate ``function(twin, *tensors)`` with both twins, and differentiate it."""
    ours = [autodiff.tensor(a, requires_grad=True) for a in arrays]
    theirs = [autodiff_torch.tensor(a, requires_grad=True, device=device) for a in arrays]
    y, y_twin = function(autodiff, *ours), function(autodiff_torch, *theirs)
    dy = rng.standard_normal(y.shape).astype(y.dtype)
    y.backward(dy)
    y_twin.backward(to_torch(dy, device))
    return [
        Comparison("forward", "result", y.data, y_twin),
        *(Comparison("gradient", f"leaf {i}", *pair) for i, pair in enumerate(
            (a.grad, b.grad) for a, b in zip(ours, theirs, strict=True))),
    ]


SHAPES = ["same", "row", "column", "number", "outer"]


def operands(rng, dtype, rows, columns, shapes):
    """Draw two arrays that broadcast with each other in one of several ways."""
    left, right = {
        "same": ((rows, columns), (rows, columns)),
        "row": ((rows, columns), (columns,)),
        "column": ((rows, 1), (rows, columns)),
        "number": ((), (rows, columns)),
        "outer": ((rows, 1), (1, columns)),
    }[shapes]
    return rng.standard_normal(left).astype(dtype), rng.standard_normal(right).astype(dtype)


BINARY = {
    "add": lambda _, a, b: a + b,
    "sub": lambda _, a, b: a - b,
    "mul": lambda _, a, b: a * b,
    "div": lambda _, a, b: a / (1 + b * b),
    "numbers on either side": lambda _, a, b: (2 - a) * 3 + (1.5 + b) / 0.5 - 1 / (2 + a * a) + 5 * -b,
}
for _name, _function in BINARY.items():

    @parity_case(f"autodiff.tensor [{_name}]", rows=(0, 5), columns=(1, 5), shapes=SHAPES)
    def binary(rng, dtype, device, rows, columns, shapes, function=_function):
        """Every way in which two operands broadcast."""
        return compare(rng, device, function, *operands(rng, dtype, rows, columns, shapes))


UNARY = {
    "neg": lambda _, x: -x,
    "exp": lambda _, x: x.exp(),
    "log": lambda _, x: (x * x + 0.5).log(),
    "tanh": lambda _, x: x.tanh(),
    "sigmoid": lambda _, x: (10 * x).sigmoid(),
    "relu": lambda _, x: x.relu(),
    "square": lambda _, x: x**2,
    "root": lambda _, x: (x**2 + 0.5) ** 0.5,
    "reciprocal": lambda _, x: (x**2 + 0.5) ** -1,
    "power zero": lambda _, x: (x * 0) ** 0 + x**1,
    "transpose": lambda _, x: x.T * 2,
    "reshape": lambda _, x: x.reshape(-1) * 2,
    "reshape to a tuple": lambda _, x: x.reshape((1, *x.shape)) * 2,
    "sum": lambda _, x: (x * x).sum(),
    "sum over rows": lambda _, x: (x * x).sum(0),
    "sum, axes kept": lambda _, x: x * (x * x).sum(-1, keepdim=True),
    "sum over two axes": lambda _, x: (x * x).sum((0, 1)),
    "mean over columns": lambda _, x: (x * x).mean(1),
    "mean, axes kept": lambda _, x: x - x.mean(dim=-1, keepdim=True),
    "index a row": lambda _, x: x[:, 0] * 2,
    "index a slice": lambda _, x: x[::2, 1:] * 2,
    "shared node": lambda _, x: (x.tanh() * x.tanh() + x) * x,
    "detached": lambda _, x: x * x.detach(),
}
for _name, _function in UNARY.items():

    @parity_case(f"autodiff.tensor [{_name}]", rows=(0, 5), columns=(1, 5))
    def unary(rng, dtype, device, rows, columns, function=_function):
        """One operation, or a short chain that keeps inside its domain."""
        return compare(rng, device, function, away_from(rng, (rows, columns), dtype))


NOT_EMPTY = {
    "mean": lambda _, x: (x * x).mean(),
    "mean over rows": lambda _, x: (x * x).mean(0),
    "amax": lambda _, x: x.amax(),
    "amax over columns": lambda _, x: x.amax(1),
    "amax, axes kept": lambda _, x: x * x.amax(0, keepdim=True),
    "amax with ties": lambda _, x: (x - x.detach()).amax(-1),
    "index that repeats": lambda _, x: x[[0, 0, -1]] * x[-1],
}
for _name, _function in NOT_EMPTY.items():

    @parity_case(f"autodiff.tensor [{_name}]", rows=(1, 5), columns=(1, 5))
    def not_empty(rng, dtype, device, rows, columns, function=_function):
        """Reductions and indices that need something to work on."""
        return compare(rng, device, function, away_from(rng, (rows, columns), dtype))


@parity_case("autodiff.tensor [matmul]", n=(0, 4), k=(1, 5), m=(0, 4),
             shapes=["matrices", "vector left", "vector right", "vectors", "batch", "broadcast batch"])
def matmul(rng, dtype, device, n, k, m, shapes):
    """Matrices, vectors, and stacks of matrices."""
    left, right = {
        "matrices": ((n, k), (k, m)),
        "vector left": ((k,), (k, m)),
        "vector right": ((n, k), (k,)),
        "vectors": ((k,), (k,)),
        "batch": ((2, n, k), (2, k, m)),
        "broadcast batch": ((2, 1, n, k), (3, k, m)),
    }[shapes]
    a, b = rng.standard_normal(left).astype(dtype), rng.standard_normal(right).astype(dtype)
    return compare(rng, device, lambda _, a, b: a @ b, a, b)


STEPS = [
    lambda a, b: a + b,
    lambda a, b: a - b * 0.5,
    lambda a, b: (a * b).tanh(),
    lambda a, b: a / (1 + b * b),
    lambda a, b: (a - b).sigmoid(),
    lambda a, b: (1 + a * a).log() + b.tanh().exp(),
    lambda a, b: a + b.sum(0) / 4,
    lambda a, b: b - a.mean(1, keepdim=True),
    lambda a, b: (a @ b.T).tanh() @ a,
    lambda a, b: a.T.reshape(*b.shape) + b[:, 1:2],
]


@parity_case("autodiff.tensor [random programs]", num_steps=(1, 8))
def program(rng, dtype, device, num_steps):
    """Steps chosen at random, each from any two earlier results: a random graph with shared nodes."""
    steps = [(STEPS[rng.integers(len(STEPS))], *rng.integers(0, 3 + i, 2)) for i in range(num_steps)]

    def run(_, *leaves):
        values = list(leaves)
        for step, first, second in steps:
            values.append(step(values[first], values[second]))
        return values[-1] + 0 * (leaves[0] + leaves[1] + leaves[2])      # so that every leaf takes part

    return compare(rng, device, run, *rng.standard_normal((3, 3, 4)).astype(dtype))


@parity_case("autodiff.tensor [multilayer perceptron]", batch=(1, 6), width=(1, 6), classes=(2, 5))
def perceptron_loss(rng, dtype, device, batch, width, classes):
    """The loss of a network with two hidden layers, and its gradients for all weights."""
    target = rng.integers(0, classes, batch)
    shapes = [(width, 3), (width,), (width, width), (width,), (classes, width), (classes,)]

    def loss(twin, x, w1, b1, w2, b2, w3, b3):
        hidden = (x @ w1.T + b1).tanh()
        logits = (hidden @ w2.T + b2).sigmoid() @ w3.T + b3
        labels = target if twin is autodiff else to_torch(target, device)
        return twin.cross_entropy(logits, labels)

    return compare(
        rng, device, loss,
        rng.standard_normal((batch, 3)).astype(dtype), *(rng.standard_normal(s).astype(dtype) for s in shapes),
    )


@parity_case("autodiff.log_softmax", rows=(0, 5), columns=(1, 5), dim=[0, 1, -1], scale=[1, 30])
def log_softmax(rng, dtype, device, rows, columns, dim, scale):
    """Scores whose exponentials differ by many orders of magnitude among them."""
    x = (scale * rng.standard_normal((rows + (dim == 0), columns))).astype(dtype)
    return compare(rng, device, lambda twin, x: twin.log_softmax(x, dim), x)


@parity_case("autodiff.cross_entropy", batch=(1, 6), classes=(1, 5), scale=[1, 30])
def cross_entropy(rng, dtype, device, batch, classes, scale):
    """Mean over rows."""
    target = rng.integers(0, classes, batch)

    def loss(twin, logits):
        return twin.cross_entropy(logits, target if twin is autodiff else to_torch(target, device))

    return compare(rng, device, loss, (scale * rng.standard_normal((batch, classes))).astype(dtype))


@parity_case("autodiff.no_grad", size=(1, 5))
def no_grad(rng, dtype, device, size):
    """What is computed inside has a value but passes no gradient."""

    def function(twin, x):
        with twin.no_grad():
            factor = x * x
        return factor * x

    return compare(rng, device, function, rng.standard_normal(size).astype(dtype))


@parity_case("autodiff.tensor [without gradient]", size=(0, 4))
def constant(rng, dtype, device, size):
    """A leaf that asks for nothing, in a graph with one that does; gradients of two passes add up."""
    a, b = rng.standard_normal((2, size)).astype(dtype)
    results = []
    for twin, options in ((autodiff, {}), (autodiff_torch, {"device": device})):
        x, c = twin.tensor(a, requires_grad=True, **options), twin.tensor(b, **options)
        for _ in range(2):
            (x * c).sum().backward()
        results.append((x.grad, c.grad is None))
    (ours, none), (theirs, none_twin) = results
    return [Comparison("gradient", "leaf", ours, theirs), Comparison("gradient", "none", none, none_twin)]

"""Reverse-mode automatic differentiation of array programs, in a few pages.

Each operation on a `Tensor` computes its result and records two things: the tensors it was
computed from, and a function that turns the gradient of the result into theirs. The records form
the computational graph. ``loss.backward()`` walks it once from the loss back to the leaves.

>>> import numpy as np
>>> x = tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
>>> loss = (x * x).sum()
>>> loss.backward()
>>> x.grad
array([2., 4., 6.])
"""

import math
import numbers
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .activations import sigmoid
from .validation import check_array, check_labels, check_number, describe

__all__ = ["cross_entropy", "log_softmax", "no_grad", "tensor"]

recording = ContextVar("recording", default=True)


class Tensor:
    r"""Array that remembers how it was computed. Made by `tensor` and by operations on others.

    It offers ``+ - * / @ **``, indexing, and the methods below, all with NumPy's broadcasting.
    The other operand may be a number or an array. Every operation names its result y; in the
    formulas, :math:`\mathrm{d}y` stands for :math:`\partial L / \partial y`, with L the loss.

    Parameters
    ----------
    data : ndarray of float32 or float64
        Kept, not copied. To change it while a graph that needs it exists falsifies the gradients.
    requires_grad : bool
        Whether `backward` should compute the gradient with respect to this tensor.

    Attributes
    ----------
    data : ndarray
    grad : ndarray of the shape of data, or None
        Where `backward` adds the gradient, for leaves and for tensors with ``retain_grad()``.
    requires_grad : bool
        For a result: whether any of its parents requires it.
    parents : tuple of Tensor
        What it was computed from. Empty for a leaf.
    op : str
        The operation that computed it, such as ``"mul"``; ``"leaf"`` for a leaf.
    """

    __array_ufunc__ = None         # so that `array * tensor` comes to Tensor.__rmul__

    def __init__(self, data, requires_grad=False):
        self.data = check_array(data, "data")
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self.parents = ()
        self.op = "leaf"
        self.local_backward = None
        self.keeps_grad = False

    @property
    def shape(self):
        """Sizes along the axes of `data`, a tuple of int."""
        return self.data.shape

    @property
    def dtype(self):
        """Type of the numbers in `data`, a numpy.dtype."""
        return self.data.dtype

    def __repr__(self):
        return f"tensor({self.data}, op={self.op})"

    def item(self):
        """Return the single number in this tensor as a Python float."""
        return self.data.item()

    def detach(self):
        """Return the same data as a leaf, through which no gradient flows."""
        return Tensor(self.data)

    def retain_grad(self):
        """Ask `backward` to leave a gradient here too, though this is not a leaf."""
        self.keeps_grad = True

    # Operations: each computes y, and says how dy becomes the gradients of its operands.

    def __add__(self, other):
        r""".. math:: y = a + b, \quad \mathrm{d}a = \mathrm{d}y, \quad \mathrm{d}b = \mathrm{d}y"""
        a, b = self, as_operand(other, self)

        def backward(dy):
            return unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)

        return record("add", a.data + b.data, (a, b), backward)

    def __sub__(self, other):
        r""".. math:: y = a - b, \quad \mathrm{d}a = \mathrm{d}y, \quad \mathrm{d}b = -\mathrm{d}y"""
        a, b = self, as_operand(other, self)

        def backward(dy):
            return unbroadcast(dy, a.shape), unbroadcast(-dy, b.shape)

        return record("sub", a.data - b.data, (a, b), backward)

    def __mul__(self, other):
        r""".. math:: y = a b, \quad \mathrm{d}a = \mathrm{d}y\, b, \quad \mathrm{d}b = \mathrm{d}y\, a"""
        a, b = self, as_operand(other, self)

        def backward(dy):
            return unbroadcast(dy * b.data, a.shape), unbroadcast(dy * a.data, b.shape)

        return record("mul", a.data * b.data, (a, b), backward)

    def __truediv__(self, other):
        r""".. math:: y = a / b, \quad \mathrm{d}a = \mathrm{d}y / b, \quad \mathrm{d}b = -\mathrm{d}y\, y / b"""
        a, b = self, as_operand(other, self)
        y = a.data / b.data

        def backward(dy):
            return unbroadcast(dy / b.data, a.shape), unbroadcast(-dy * y / b.data, b.shape)

        return record("div", y, (a, b), backward)

    def __pow__(self, exponent):
        r""".. math:: y = x^p, \quad \mathrm{d}x = \mathrm{d}y\, p\, x^{p-1}, \quad p \text{ a number}"""
        p = check_number(exponent, "exponent")

        def backward(dy):
            return (dy * p * self.data ** (p - 1) if p else np.zeros_like(dy),)    # 0 x^-1 is 0 at x = 0 too

        return record("pow", self.data**p, (self,), backward)

    def __matmul__(self, other):
        r""".. math:: Y = A B, \quad \mathrm{d}A = \mathrm{d}Y\, B^\top, \quad \mathrm{d}B = A^\top\, \mathrm{d}Y"""
        a, b = self, as_operand(other, self)
        if b.data.ndim == 1:
            return (a @ b.reshape(-1, 1))[..., 0]                  # a vector on the right is a column
        if a.data.ndim == 1:
            return (a.reshape(1, -1) @ b)[..., 0, :]               # and one on the left a row

        def backward(dy):
            da = dy @ b.data.swapaxes(-1, -2)                      # (..., N, M) @ (..., M, D) -> (..., N, D)
            db = a.data.swapaxes(-1, -2) @ dy                      # (..., D, N) @ (..., N, M) -> (..., D, M)
            return unbroadcast(da, a.shape), unbroadcast(db, b.shape)

        return record("matmul", a.data @ b.data, (a, b), backward)

    def __neg__(self):
        r""".. math:: y = -x, \quad \mathrm{d}x = -\mathrm{d}y"""
        return record("neg", -self.data, (self,), lambda dy: (-dy,))

    __radd__, __rmul__ = __add__, __mul__                          # a number on the left commutes

    def __rsub__(self, other):
        return as_operand(other, self) - self

    def __rtruediv__(self, other):
        return as_operand(other, self) / self

    def __rmatmul__(self, other):
        return as_operand(other, self) @ self

    def exp(self):
        r"""Compute :math:`y = e^x`; then :math:`\mathrm{d}x = \mathrm{d}y\, y`."""
        y = np.exp(self.data)
        return record("exp", y, (self,), lambda dy: (dy * y,))

    def log(self):
        r"""Compute :math:`y = \ln x`; then :math:`\mathrm{d}x = \mathrm{d}y / x`."""
        return record("log", np.log(self.data), (self,), lambda dy: (dy / self.data,))

    def tanh(self):
        r"""Compute :math:`y = \tanh x`; then :math:`\mathrm{d}x = \mathrm{d}y\, (1 - y^2)`."""
        y = np.tanh(self.data)
        return record("tanh", y, (self,), lambda dy: (dy * (1 - y * y),))

    def sigmoid(self):
        r"""Compute :math:`y = 1 / (1 + e^{-x})`; then :math:`\mathrm{d}x = \mathrm{d}y\, y\, (1 - y)`."""
        y = sigmoid(self.data)
        return record("sigmoid", y, (self,), lambda dy: (dy * y * (1 - y),))

    def relu(self):
        r"""Compute :math:`y = \max(0, x)`; then :math:`\mathrm{d}x = \mathrm{d}y` where :math:`x > 0`, else 0."""
        return record("relu", np.maximum(self.data, 0), (self,), lambda dy: (dy * (self.data > 0),))

    def sum(self, dim=None, keepdim=False):
        r"""Compute :math:`y = \sum_i x_i` over some axes; then :math:`\mathrm{d}x_i = \mathrm{d}y`.

        Parameters
        ----------
        dim : int or tuple of int, optional
            The axes; all of them where it is not given.
        keepdim : bool
            Whether to keep those axes, with size 1.

        Returns
        -------
        Tensor
        """

        def backward(dy):
            return (np.broadcast_to(restore(dy, dim, keepdim), self.shape),)

        return record("sum", self.data.sum(axis=dim, keepdims=keepdim), (self,), backward)

    def mean(self, dim=None, keepdim=False):
        r"""Compute :math:`y = \frac1n \sum_i x_i` over some axes, chosen as for `sum`."""
        axes = range(self.data.ndim) if dim is None else np.atleast_1d(dim)
        total, count = self.sum(dim, keepdim), math.prod(self.shape[axis] for axis in axes)
        if count == 0:
            raise ValueError(f"dim: expected axes with something to average, got {dim} of shape {self.shape}")
        return total / count

    def amax(self, dim=None, keepdim=False):
        r"""Compute :math:`y = \max_i x_i` over some axes, chosen as for `sum`.

        Then :math:`\mathrm{d}x_i = \mathrm{d}y / m` for the m elements that attain it, else 0.
        """
        highest = self.data.max(axis=dim, keepdims=True)

        def backward(dy):
            attained = (self.data == highest).astype(self.dtype)
            share = attained / attained.sum(axis=dim, keepdims=True)
            return (restore(dy, dim, keepdim) * share,)

        return record("amax", self.data.max(axis=dim, keepdims=keepdim), (self,), backward)

    def __getitem__(self, index):
        r""".. math:: y_k = x_{i(k)}, \quad \mathrm{d}x_i = \textstyle\sum_{k : i(k) = i} \mathrm{d}y_k"""

        def backward(dy):
            dx = np.zeros_like(self.data)
            np.add.at(dx, index, dy)                               # adds up where an index repeats
            return (dx,)

        return record("index", self.data[index], (self,), backward)

    def reshape(self, *shape):
        """Arrange the same numbers in another shape; so it does with their gradients."""
        return record("reshape", self.data.reshape(*shape), (self,), lambda dy: (dy.reshape(self.shape),))

    @property
    def T(self):
        r"""Transpose of a matrix, :math:`Y = X^\top`; then :math:`\mathrm{d}X = \mathrm{d}Y^\top`."""
        if self.data.ndim != 2:
            raise ValueError(f"T: expected a matrix, got shape {self.shape}")
        return record("transpose", self.data.T, (self,), lambda dy: (dy.T,))

    def backward(self, gradient=None):
        r"""Add the gradient of this tensor with respect to every leaf to the leaf's ``grad``.

        The chain rule sums over all paths from a leaf to the loss. A tensor passes its gradient
        on once, when all that was computed from it has reported: hence the topological order.

        .. math:: \mathrm{d}x = \sum_{y \,:\, x \in \text{parents}(y)}
                  \Big(\frac{\partial y}{\partial x}\Big)^{\!\top} \mathrm{d}y

        Parameters
        ----------
        gradient : ndarray or Tensor of the shape of this tensor, optional
            The gradient of the loss with respect to this tensor. 1 where this is a single number,
            the loss itself.

        Raises
        ------
        ValueError
            If nothing here requires a gradient, or none is given for more than one number.
        """
        if not self.requires_grad:
            raise ValueError("backward: expected a tensor computed from one that requires grad, got one that is not")
        if gradient is None:
            if self.data.size != 1:
                raise ValueError(f"gradient: expected one for a tensor of shape {self.shape}, got None")
            gradient = np.ones_like(self.data)
        gradient = gradient.data if isinstance(gradient, Tensor) else gradient
        gradients = {id(self): check_array(gradient, "gradient", shape=self.shape, dtype=self.dtype)}
        for node in reversed(topological_order(self)):
            dy = gradients.pop(id(node))
            if not node.parents or node.keeps_grad:
                node.grad = np.array(dy if node.grad is None else node.grad + dy)
            if node.parents:
                for parent, dx in zip(node.parents, node.local_backward(dy), strict=True):
                    if parent.requires_grad:
                        so_far = gradients.get(id(parent))
                        gradients[id(parent)] = dx if so_far is None else so_far + dx


def topological_order(root):
    """List the tensors that ``root`` was computed from and need a gradient, parents before children.

    A depth-first walk with a stack of its own, since a recursive one would fail on long chains.
    """
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents if parent.requires_grad)
    return order


def record(op, data, parents, local_backward):
    """Make the tensor that an operation returns, and remember where it came from."""
    y = Tensor(np.asarray(data))
    if recording.get() and any(parent.requires_grad for parent in parents):
        y.requires_grad, y.op, y.parents, y.local_backward = True, op, parents, local_backward
    return y


def as_operand(value, partner):
    """Turn the other operand into a tensor of its partner's dtype; only numbers are converted."""
    if isinstance(value, Tensor):
        check_array(value.data, "other", dtype=partner.dtype)
        return value
    if isinstance(value, numbers.Real):
        return Tensor(np.asarray(value, partner.dtype))
    return Tensor(check_array(value, "other", dtype=partner.dtype))


def unbroadcast(grad, shape):
    """Sum a gradient over the axes along which the operand was repeated."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))     # axes put in front
    repeated = tuple(i for i, size in enumerate(shape) if size == 1)
    return grad.sum(axis=repeated, keepdims=True)


def check_tensor(x, name):
    """Check that ``x`` is a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: expected a Tensor, got {describe(x)}")
    return x


def restore(dy, dim, keepdim):
    """Put back the axes that a reduction over ``dim`` removed."""
    return dy if keepdim or dim is None else np.expand_dims(dy, dim)


def tensor(data, requires_grad=False):
    """Make a leaf of the computational graph from a copy of an array.

    Parameters
    ----------
    data : ndarray of float32 or float64, or nested list of float
    requires_grad : bool
        Whether to compute gradients with respect to it.

    Returns
    -------
    Tensor

    Raises
    ------
    TypeError
        If the numbers are not floating-point.

    Notes
    -----
    Python floats become float64, as in NumPy; PyTorch makes them float32.
    """
    if isinstance(data, Tensor):
        raise TypeError(f"data: expected an array, got {describe(data)}; detach() copies a tensor out of its graph")
    return Tensor(check_array(np.array(data), "data"), requires_grad)


@contextmanager
def no_grad():
    """Record nothing inside a ``with`` block: results have no parents and need no gradient."""
    token = recording.set(False)
    try:
        yield
    finally:
        recording.reset(token)


def log_softmax(x, dim):
    r"""Compute the logarithm of the softmax along an axis, from the operations above.

    .. math:: y_i = x_i - m - \ln \textstyle\sum_j e^{x_j - m}, \qquad m = \max_j x_j

    Subtracting m changes nothing but keeps the exponentials from overflowing. As the result does
    not depend on it, no gradient need flow through it: it is detached.

    Parameters
    ----------
    x : Tensor
    dim : int

    Returns
    -------
    Tensor of the shape of x
    """
    check_tensor(x, "x")
    shifted = x - x.amax(dim, keepdim=True).detach()
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def cross_entropy(logits, target):
    r"""Compute the mean negative log-probability of the right classes.

    .. math:: L = -\frac1N \sum_n \ln \mathrm{softmax}(x_n)_{t_n}

    Parameters
    ----------
    logits : Tensor of shape (N, C)
    target : ndarray of int, shape (N,)
        Classes from 0 to C - 1.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    TypeError, ValueError
        If there are no rows, or a label is out of range.
    """
    check_array(check_tensor(logits, "logits").data, "logits", shape=("N", "C"), empty=False)
    check_labels(target, "target", num_classes=logits.shape[1], length=logits.shape[0])
    return -log_softmax(logits, 1)[np.arange(len(target)), target].mean()

"""Parameters and modules: what every layer of the course is made of.

A `Module` computes ``y = forward(x)``, remembers what its derivative will need, and turns
``dy`` (the gradient of the loss with respect to its output) into ``dx`` (the same with respect
to its input) in ``backward``. On the way it adds each parameter's gradient to ``Parameter.grad``.
The names are those of ``torch.nn``, so that a state dict moves between the twins unchanged.
"""

import numpy as np

from .validation import check_array, describe

__all__ = ["Flatten", "Module", "Parameter", "Sequential"]


class Parameter:
    """A trainable array together with the gradient of the loss with respect to it.

    Parameters
    ----------
    data : ndarray of float
        The value. Kept, not copied.

    Attributes
    ----------
    data : ndarray of float
    grad : ndarray of the shape and dtype of data, or None
        None until a backward pass has run. Backward passes *add* to it: two losses that share
        a parameter sum their gradients. `Module.zero_grad` clears it.
    """

    def __init__(self, data):
        self.data = check_array(data, "data")
        self.grad = None

    def accumulate(self, grad):
        """Add ``grad`` to the gradient gathered so far.

        Parameters
        ----------
        grad : ndarray of the shape and dtype of data

        Raises
        ------
        ValueError, TypeError
            If shape or dtype differ: a gradient that broadcasts is a bug, not a convenience.
        """
        check_array(grad, "grad", shape=self.data.shape, dtype=self.data.dtype)
        self.grad = grad if self.grad is None else self.grad + grad

    @property
    def shape(self):
        """The shape of `data`, a tuple of int."""
        return self.data.shape

    @property
    def dtype(self):
        """The type of `data`, a numpy.dtype."""
        return self.data.dtype

    def __repr__(self):
        return f"Parameter({self.data!r})"


class Module:
    """Base class of everything with a forward and a backward pass.

    A subclass sets `Parameter` and `Module` attributes in its ``__init__`` (after calling
    ``super().__init__()``), and writes ``forward`` and ``backward`` side by side.

    Attributes
    ----------
    training : bool
        Whether layers that behave differently in training (dropout, batch norm) do so.
    buffer_names : tuple of str
        Arrays that belong to the state but are not trained, such as running means.
    """

    buffer_names = ()

    def __init__(self):
        self.training = True

    def __call__(self, *inputs, **options):
        """Compute the output: ``module(x)`` is ``module.forward(x)``."""
        return self.forward(*inputs, **options)

    def forward(self, *inputs):
        """Compute the output, and keep what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, dy):
        """Turn the output's gradient into the input's, adding parameter gradients on the way."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def named_children(self):
        """Yield the sub-modules by name, in the order in which they were set.

        Yields
        ------
        (str, Module)
        """
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def named_parameters(self, prefix=""):
        """Yield every parameter below this module with its dotted name.

        Parameters
        ----------
        prefix : str
            Put before each name.

        Yields
        ------
        (str, Parameter)
        """
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.named_children():
            yield from child.named_parameters(f"{prefix}{name}.")

    def parameters(self):
        """List every parameter below this module.

        Returns
        -------
        list of Parameter
        """
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self, prefix=""):
        """Yield the untrained arrays below this module: owner, attribute and dotted name.

        Parameters
        ----------
        prefix : str

        Yields
        ------
        (str, Module, str)
            Dotted name, the module that owns the array, and the attribute's name there.
        """
        for name in self.buffer_names:
            yield prefix + name, self, name
        for name, child in self.named_children():
            yield from child.named_buffers(f"{prefix}{name}.")

    def state_dict(self):
        """Copy all parameters and buffers out.

        Returns
        -------
        dict of str to ndarray
            The names and layouts of the PyTorch counterpart's ``state_dict``.
        """
        state = {name: parameter.data.copy() for name, parameter in self.named_parameters()}
        for name, owner, attribute in self.named_buffers():
            state[name] = getattr(owner, attribute).copy()
        return state

    def load_state_dict(self, state):
        """Copy all parameters and buffers in.

        Parameters
        ----------
        state : dict of str to ndarray

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs.
        """
        own = self.state_dict()
        missing, unknown = own.keys() - state.keys(), state.keys() - own.keys()
        if missing or unknown:
            raise ValueError(
                f"state: expected the names {sorted(own)}, got missing {sorted(missing)}, unknown {sorted(unknown)}"
            )
        for name, array in own.items():
            if np.shape(state[name]) != array.shape:
                raise ValueError(f"state[{name!r}]: expected shape {array.shape}, got {np.shape(state[name])}")
        for name, parameter in self.named_parameters():
            parameter.data[...] = state[name]
        for name, owner, attribute in self.named_buffers():
            getattr(owner, attribute)[...] = state[name]

    def zero_grad(self):
        """Forget the gradients gathered so far."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode=True):
        """Switch this module and all below it to training (or, with False, to evaluation).

        Parameters
        ----------
        mode : bool

        Returns
        -------
        Module
            Itself.
        """
        self.training = bool(mode)
        for _, child in self.named_children():
            child.train(mode)
        return self

    def eval(self):
        """Switch to evaluation: the same as ``train(False)``."""
        return self.train(False)


class Sequential(Module):
    r"""Modules applied one after the other.

    The forward pass is a composition and the backward pass is the chain rule read from the
    outside in:

    .. math::

        y = f_L(\dots f_2(f_1(x))), \qquad
        \mathrm{d}x = J_1^\top J_2^\top \cdots J_L^\top\, \mathrm{d}y

    Parameters
    ----------
    *args : Module
        In the order in which they are applied.
    """

    def __init__(self, *args):
        super().__init__()
        for index, layer in enumerate(args):
            if not isinstance(layer, Module):
                raise TypeError(f"args[{index}]: expected a Module, got {describe(layer)}")
        self.layers = list(args)

    def named_children(self):
        """Yield the modules by their position, as PyTorch names them: ``"0"``, ``"1"``, ..."""
        for index, layer in enumerate(self.layers):
            yield str(index), layer

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def forward(self, x):
        """Apply the modules from first to last.

        Parameters
        ----------
        x : ndarray

        Returns
        -------
        ndarray
        """
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dy):
        """Apply the modules' backward passes from last to first.

        Parameters
        ----------
        dy : ndarray
            Gradient of the loss with respect to the output.

        Returns
        -------
        ndarray
            Gradient of the loss with respect to the input.
        """
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class Flatten(Module):
    """Write the numbers of each example as one row, such as the maps of an image."""

    def __init__(self):
        super().__init__()

    def forward(self, x):
        """Flatten.

        Parameters
        ----------
        x : ndarray of shape (N, ...)

        Returns
        -------
        ndarray of shape (N, D)
            D is the product of all sizes but the first.
        """
        check_array(x, "x", shape=(..., "N", "D"))
        self.shape = x.shape
        return x.reshape(len(x), np.prod(x.shape[1:]))

    def backward(self, dy):
        """Give the gradient the shape of the input.

        Parameters
        ----------
        dy : ndarray of shape (N, D)

        Returns
        -------
        ndarray of shape (N, ...)
        """
        check_array(dy, "dy", shape=(self.shape[0], int(np.prod(self.shape[1:]))))
        return dy.reshape(self.shape)

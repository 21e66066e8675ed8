"""Optimisers in PyTorch: those of ``torch.optim``, with the arguments of the references."""

import torch

from .optim import _check_betas, _check_params
from .validation import check_number

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
]


class Optimizer(torch.optim.Optimizer):
    """Base class for an optimiser of one's own: write `update`, as in the reference.

    The classes below are PyTorch's, and derive from ``torch.optim.Optimizer`` as this one does.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        Learning rate.
    weight_decay : float
        Factor of the weights that is added to their gradients.
    """

    state_names = ()

    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(_check_params(params, torch.Tensor), _check_rates(lr, weight_decay))

    @property
    def lr(self):
        """float: the learning rate, which schedulers change."""
        return self.param_groups[0]["lr"]

    def update(self, w, g, state):
        """Change one tensor of weights in place.

        Parameters
        ----------
        w : Tensor
            The weights.
        g : Tensor
            Their gradient, weight decay included. To be read only.
        state : dict
            ``"step"``, and the tensors in `state_names`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update")

    @torch.no_grad()
    def step(self):
        """Update every parameter that has a gradient."""
        group = self.param_groups[0]
        for w in group["params"]:
            if w.grad is not None:
                state = self.state[w]
                if not state:
                    state.update(step=0, **{name: torch.zeros_like(w) for name in self.state_names})
                state["step"] += 1
                self.update(w, w.grad.add(w, alpha=group["weight_decay"]), state)


class SGD(torch.optim.SGD):
    """Stochastic gradient descent.

    Parameters
    ----------
    params : iterable of Tensor
    lr, weight_decay : float
    """

    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(_check_params(params, torch.Tensor), **_check_rates(lr, weight_decay))


class Momentum(torch.optim.SGD):
    """Stochastic gradient descent with momentum.

    Parameters
    ----------
    params : iterable of Tensor
    lr, momentum, weight_decay : float
    """

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0):
        check_number(momentum, "momentum", low=0, high=1, high_open=True)
        super().__init__(_check_params(params, torch.Tensor), momentum=momentum, **_check_rates(lr, weight_decay))


class Nesterov(torch.optim.SGD):
    """Stochastic gradient descent with momentum that looks ahead.

    Parameters
    ----------
    params : iterable of Tensor
    lr, momentum, weight_decay : float
    """

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0):
        check_number(momentum, "momentum", low=0, high=1, high_open=True)
        super().__init__(
            _check_params(params, torch.Tensor),
            momentum=momentum,
            nesterov=momentum > 0,     # with none there is nothing to look ahead along, and PyTorch refuses
            **_check_rates(lr, weight_decay),
        )


class Adagrad(torch.optim.Adagrad):
    """Divide by the root of all squared gradients so far.

    Parameters
    ----------
    params : iterable of Tensor
    lr, eps, weight_decay : float
    """

    def __init__(self, params, lr=0.01, eps=1e-10, weight_decay=0.0):
        check_number(eps, "eps", low=0)
        super().__init__(_check_params(params, torch.Tensor), eps=eps, **_check_rates(lr, weight_decay))


class RMSprop(torch.optim.RMSprop):
    """Divide by the recent root mean square of the gradient.

    Parameters
    ----------
    params : iterable of Tensor
    lr, alpha, eps, weight_decay : float
    """

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0):
        check_number(alpha, "alpha", low=0, high=1, high_open=True)
        check_number(eps, "eps", low=0)
        super().__init__(_check_params(params, torch.Tensor), alpha=alpha, eps=eps, **_check_rates(lr, weight_decay))


class Adam(torch.optim.Adam):
    """Running means of the gradient and of its square.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
    betas : tuple of two floats
    eps, weight_decay : float
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        betas = _check_betas(betas)
        check_number(eps, "eps", low=0)
        super().__init__(_check_params(params, torch.Tensor), betas=betas, eps=eps, **_check_rates(lr, weight_decay))


class AdamW(torch.optim.AdamW):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
    betas : tuple of two floats
    eps, weight_decay : float
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        betas = _check_betas(betas)
        check_number(eps, "eps", low=0)
        super().__init__(_check_params(params, torch.Tensor), betas=betas, eps=eps, **_check_rates(lr, weight_decay))


def clip_grad_norm_(parameters, max_norm):
    """Shorten the gradient of all parameters together to ``max_norm``.

    Parameters
    ----------
    parameters : iterable of Tensor
    max_norm : float

    Returns
    -------
    Tensor
        The norm before clipping, of shape ().
    """
    check_number(max_norm, "max_norm", low=0)
    return torch.nn.utils.clip_grad_norm_(_check_params(parameters, torch.Tensor, "parameters", empty=True), max_norm)


def clip_grad_value_(parameters, clip_value):
    """Clip every element of every gradient to [-clip_value, clip_value].

    Parameters
    ----------
    parameters : iterable of Tensor
    clip_value : float
    """
    check_number(clip_value, "clip_value", low=0)
    parameters = _check_params(parameters, torch.Tensor, "parameters", empty=True)
    if any(p.grad is not None for p in parameters):        # PyTorch trips over a list without any gradient
        torch.nn.utils.clip_grad_value_(parameters, clip_value)


def _check_rates(lr, weight_decay):
    """Return both as the keyword arguments of an optimiser."""
    return {"lr": check_number(lr, "lr", low=0), "weight_decay": check_number(weight_decay, "weight_decay", low=0)}

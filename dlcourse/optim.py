r"""Optimisers: the rules by which gradients change weights.

Each rule is one short `update` method. What the rules have in common (going through the
parameters, skipping those without a gradient, weight decay, saving and restoring) is in
`Optimizer`. All conventions are those of ``torch.optim``.
"""

from collections.abc import Iterable

import numpy as np

from .module import Parameter
from .validation import check_number, describe

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


class Optimizer:
    r"""Base class: a subclass writes `update`, and names the arrays that the rule remembers.

    Parameters
    ----------
    params : iterable of Parameter
        What to train. One that is listed twice is updated once.
    lr : float
        Learning rate :math:`\eta`, at least 0. The attribute may be changed at any time.
    weight_decay : float
        Factor :math:`\lambda` of the penalty :math:`\tfrac{\lambda}{2} \lVert w \rVert^2`.

    Attributes
    ----------
    params : list of Parameter
    state : list of dict
        For each parameter the number of its updates, ``"step"``, and the arrays in `state_names`.
    state_names : tuple of str
        Arrays of a parameter's shape that `update` carries from step to step, zero at first.
    hyperparameter_names : tuple of str
        Attributes, all numbers, that are saved along with the state.

    Raises
    ------
    TypeError, ValueError
        If `params` is empty or holds anything but parameters, or a number is out of its range.
    """

    state_names = ()
    hyperparameter_names = ("lr", "weight_decay")

    def __init__(self, params, lr, weight_decay=0.0):
        self.params = _check_params(params, Parameter)
        self.lr = check_number(lr, "lr", low=0)
        self.weight_decay = check_number(weight_decay, "weight_decay", low=0)
        self.state = [
            {"step": 0, **{name: np.zeros_like(parameter.data) for name in self.state_names}}
            for parameter in self.params
        ]

    def update(self, w, g, state):
        """Change one array of weights in place.

        Parameters
        ----------
        w : ndarray
            The weights.
        g : ndarray of the shape of w
            Their gradient, weight decay included. To be read only.
        state : dict
            What the rule remembers of these weights; ``state["step"]`` is 1 in the first update.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def decay(self, w, g):
        r"""Add the gradient of the penalty: :math:`g + \lambda w`.

        Parameters
        ----------
        w, g : ndarray

        Returns
        -------
        ndarray of the shape of g
        """
        return g + self.weight_decay * w if self.weight_decay else g

    def step(self):
        """Update every parameter that has a gradient."""
        for parameter, state in zip(self.params, self.state, strict=True):
            if parameter.grad is not None:
                state["step"] += 1
                self.update(parameter.data, self.decay(parameter.data, parameter.grad), state)

    def zero_grad(self):
        """Forget the gradients gathered so far."""
        for parameter in self.params:
            parameter.grad = None

    def state_dict(self):
        """Copy out all that is needed to go on later.

        Returns
        -------
        dict of str to float, int or ndarray
            The hyperparameters by name, and for the parameter at each index ``"index.step"`` and
            its arrays, such as ``"0.exp_avg"``. ``np.savez(path, **optimizer.state_dict())``
            writes it to a file.
        """
        saved = {name: getattr(self, name) for name in self.hyperparameter_names}
        for index, state in enumerate(self.state):
            saved[f"{index}.step"] = state["step"]
            saved |= {f"{index}.{name}": state[name].copy() for name in self.state_names}
        return saved

    def load_state_dict(self, state):
        """Copy in what `state_dict` returned, or what ``np.load`` read from its file.

        Parameters
        ----------
        state : mapping of str to float, int or ndarray

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs. Nothing is changed then.
        """
        own = self.state_dict()
        missing, unknown = own.keys() - state.keys(), state.keys() - own.keys()
        if missing or unknown:
            raise ValueError(
                f"state: expected the names {sorted(own)}, got missing {sorted(missing)}, unknown {sorted(unknown)}"
            )
        for name, value in own.items():
            if np.shape(state[name]) != np.shape(value):
                raise ValueError(f"state[{name!r}]: expected shape {np.shape(value)}, got {np.shape(state[name])}")
        for name in self.hyperparameter_names:
            setattr(self, name, float(state[name]))
        for index, kept in enumerate(self.state):
            kept["step"] = int(state[f"{index}.step"])
            for name in self.state_names:
                kept[name][...] = state[f"{index}.{name}"]


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    .. math:: w \leftarrow w - \eta\, g

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Robbins and Monro, *A stochastic approximation method*, Annals of Mathematical Statistics
    22(3), 1951.
    """

    def update(self, w, g, state):
        r"""Apply :math:`w \leftarrow w - \eta\, g`."""
        w -= self.lr * g


class Momentum(Optimizer):
    r"""Gradient descent of a ball with friction: steps add up along directions that persist.

    .. math::

        v &\leftarrow \mu v + g \\
        w &\leftarrow w - \eta\, v

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    momentum : float
        Factor :math:`\mu` in [0, 1): the share of the velocity that friction leaves.
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The lecture writes :math:`v' \leftarrow \mu v' - \eta g` and :math:`w \leftarrow w + v'`. While
    :math:`\eta` is constant, :math:`v' = -\eta v` throughout and both take the same path. When
    :math:`\eta` changes, they differ: here the whole velocity is rescaled at once, in the
    lecture's form only the gradients still to come are.

    References
    ----------
    Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR Computational
    Mathematics and Mathematical Physics 4(5), 1964.

    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep
    learning*, ICML 2013, section 2 (the lecture's form).
    """

    state_names = ("momentum_buffer",)
    hyperparameter_names = ("lr", "weight_decay", "momentum")

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        self.momentum = check_number(momentum, "momentum", low=0, high=1, high_open=True)

    def update(self, w, g, state):
        r"""Apply :math:`v \leftarrow \mu v + g` and :math:`w \leftarrow w - \eta\, v`."""
        v = state["momentum_buffer"]
        v *= self.momentum
        v += g
        w -= self.lr * v


class Nesterov(Momentum):
    r"""Momentum that looks ahead: the gradient is taken where the velocity is about to lead.

    .. math::

        v &\leftarrow \mu v + g \\
        w &\leftarrow w - \eta\, (g + \mu v)

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    momentum : float
        Factor :math:`\mu` in [0, 1).
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    As published, the gradient is taken at the point ahead, :math:`\tilde w = w + \mu v'`:

    .. math::

        v' &\leftarrow \mu v' - \eta \nabla L(w + \mu v') \\
        w &\leftarrow w + v'

    PyTorch, and this class, store the point ahead in place of w, so that the gradient is simply
    taken at the stored weights. With :math:`v' = -\eta v`, the step from one point ahead to the
    next is

    .. math:: -\mu v' + (1 + \mu)(\mu v' - \eta g) = -\eta\, \bigl(g + \mu (\mu v + g)\bigr),

    which is the rule above. The two agree while :math:`\eta` is constant.

    References
    ----------
    Nesterov, *A method of solving a convex programming problem with convergence rate O(1/k^2)*,
    Soviet Mathematics Doklady 27, 1983.

    Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep
    learning*, ICML 2013, section 2.
    """

    def update(self, w, g, state):
        r"""Apply :math:`v \leftarrow \mu v + g` and :math:`w \leftarrow w - \eta (g + \mu v)`."""
        v = state["momentum_buffer"]
        v *= self.momentum
        v += g
        w -= self.lr * (g + self.momentum * v)


class Adagrad(Optimizer):
    r"""Give every weight a learning rate of its own, smaller the more its gradients add up to.

    .. math::

        s &\leftarrow s + g^2 \\
        w &\leftarrow w - \eta\, \frac{g}{\sqrt{s} + \epsilon}

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    eps : float
        Keeps the quotient finite where s is zero.
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic
    optimization*, JMLR 12, 2011 (the version with diagonal matrices).
    """

    state_names = ("sum",)
    hyperparameter_names = ("lr", "weight_decay", "eps")

    def __init__(self, params, lr=0.01, eps=1e-10, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        self.eps = check_number(eps, "eps", low=0)

    def update(self, w, g, state):
        r"""Apply :math:`s \leftarrow s + g^2` and :math:`w \leftarrow w - \eta g/(\sqrt{s} + \epsilon)`."""
        s = state["sum"]
        s += g * g
        w -= self.lr * g / (np.sqrt(s) + self.eps)


class RMSprop(Optimizer):
    r"""Adagrad with a memory that fades: divide by the recent root mean square of the gradient.

    .. math::

        s &\leftarrow \alpha s + (1 - \alpha)\, g^2 \\
        w &\leftarrow w - \eta\, \frac{g}{\sqrt{s} + \epsilon}

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    alpha : float
        How much of the mean square is kept in a step, in [0, 1).
    eps : float
        Keeps the quotient finite where s is zero.
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Tieleman and Hinton, *Lecture 6.5: RMSprop*, Coursera: Neural Networks for Machine Learning,
    2012.
    """

    state_names = ("square_avg",)
    hyperparameter_names = ("lr", "weight_decay", "alpha", "eps")

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        self.alpha = check_number(alpha, "alpha", low=0, high=1, high_open=True)
        self.eps = check_number(eps, "eps", low=0)

    def update(self, w, g, state):
        r"""Let s fade towards the new :math:`g^2`, and apply :math:`w \leftarrow w - \eta g/(\sqrt{s} + \epsilon)`."""
        s = state["square_avg"]
        s *= self.alpha
        s += (1 - self.alpha) * g * g
        w -= self.lr * g / (np.sqrt(s) + self.eps)


class Adam(Optimizer):
    r"""Momentum and RMSprop in one: running means of the gradient and of its square.

    .. math::

        m &\leftarrow \beta_1 m + (1 - \beta_1)\, g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2)\, g^2 \\
        w &\leftarrow w - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Both means start at zero and are too small at first. After t steps their weights sum to
    :math:`1 - \beta^t`, so dividing by this makes weighted averages of them.

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    betas : tuple of two floats
        :math:`\beta_1` and :math:`\beta_2`, both in [0, 1).
    eps : float
        Keeps the quotient finite where v is zero.
    weight_decay : float
        Factor :math:`\lambda`; :math:`\lambda w` is added to g, and is then divided by the root
        of v like everything else in g. `AdamW` does not let it be.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    References
    ----------
    Kingma and Ba, *Adam: A method for stochastic optimization*, ICLR 2015, Algorithm 1.
    """

    state_names = ("exp_avg", "exp_avg_sq")
    hyperparameter_names = ("lr", "weight_decay", "beta1", "beta2", "eps")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        self.beta1, self.beta2 = _check_betas(betas)
        self.eps = check_number(eps, "eps", low=0)

    def update(self, w, g, state):
        r"""Move both means, then step along the corrected quotient."""
        m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
        m *= self.beta1
        m += (1 - self.beta1) * g
        v *= self.beta2
        v += (1 - self.beta2) * g * g
        corrected_lr = self.lr / (1 - self.beta1**t)
        w -= corrected_lr * m / (np.sqrt(v / (1 - self.beta2**t)) + self.eps)


class AdamW(Adam):
    r"""Adam with weight decay that shrinks the weights themselves, past the quotient.

    .. math:: w \leftarrow (1 - \eta \lambda)\, w, \qquad \text{then Adam's step with } \lambda = 0

    With plain gradient descent this would be the same as a penalty. With Adam it is not: a
    penalty's gradient is divided by :math:`\sqrt{v}`, so that weights with large gradients are
    hardly decayed at all.

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        Learning rate :math:`\eta`.
    betas : tuple of two floats
        :math:`\beta_1` and :math:`\beta_2`, both in [0, 1).
    eps : float
        Keeps the quotient finite where v is zero.
    weight_decay : float
        Factor :math:`\lambda`.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The paper shrinks by :math:`1 - \eta_t \lambda`, where :math:`\eta_t` is a schedule of order one
    beside a separate step size :math:`\alpha`. PyTorch, and this class, shrink by
    :math:`1 - \eta \lambda` with the learning rate itself.

    References
    ----------
    Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019, Algorithm 2.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps, weight_decay)

    def decay(self, w, g):
        r"""Shrink the weights in place, :math:`w \leftarrow (1 - \eta\lambda)\, w`, and leave g alone.

        Parameters
        ----------
        w, g : ndarray

        Returns
        -------
        ndarray
            `g` itself.
        """
        w *= 1 - self.lr * self.weight_decay
        return g


def clip_grad_norm_(parameters, max_norm):
    r"""Shorten the gradient of all parameters together to a given length, keeping its direction.

    .. math::

        g \leftarrow \min\Bigl(1, \frac{c}{\lVert g \rVert + 10^{-6}}\Bigr)\, g,
        \qquad \lVert g \rVert = \sqrt{\textstyle\sum_p \lVert g_p \rVert^2}

    Parameters
    ----------
    parameters : iterable of Parameter
        Those without a gradient are passed over.
    max_norm : float
        The length c.

    Returns
    -------
    float
        The norm before clipping (a NumPy number of the gradients' type). It is NaN or infinite
        where a gradient is, and the gradients are then of no use.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.

    Notes
    -----
    The :math:`10^{-6}` is PyTorch's, and not in the paper.

    References
    ----------
    Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, ICML
    2013, Algorithm 1.
    """
    check_number(max_norm, "max_norm", low=0)
    trained = [p for p in _check_params(parameters, Parameter, name="parameters", empty=True) if p.grad is not None]
    if not trained:
        return np.float64(0)
    total = np.sqrt(sum(np.sum(p.grad * p.grad) for p in trained))
    factor = np.minimum(max_norm / (total + 1e-6), 1)
    for p in trained:
        p.grad = p.grad * factor       # a new array, since two parameters may have been given the same one
    return total


def clip_grad_value_(parameters, clip_value):
    r"""Clip every element of every gradient to an interval, which changes the direction as well.

    .. math:: g_i \leftarrow \min(\max(g_i, -c), c)

    Parameters
    ----------
    parameters : iterable of Parameter
        Those without a gradient are passed over.
    clip_value : float
        Half the interval's length, c.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or of the wrong kind.
    """
    check_number(clip_value, "clip_value", low=0)
    for p in _check_params(parameters, Parameter, name="parameters", empty=True):
        if p.grad is not None:
            p.grad = np.clip(p.grad, -clip_value, clip_value)


def _check_params(params, kind, name="params", empty=False):
    """List the distinct parameters among ``params``, each of which must be a ``kind``."""
    if isinstance(params, kind) or not isinstance(params, Iterable):
        raise TypeError(f"{name}: expected a list of {kind.__name__}, got {describe(params)}")
    params = list(params)
    for index, parameter in enumerate(params):
        if not isinstance(parameter, kind):
            raise TypeError(f"{name}[{index}]: expected a {kind.__name__}, got {describe(parameter)}")
    if not params and not empty:
        raise ValueError(f"{name}: expected at least one {kind.__name__}, got none")
    return list(dict.fromkeys(params))


def _check_betas(betas):
    """Return both numbers of ``betas``, each in [0, 1)."""
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas: expected two numbers, got {describe(betas)}")
    return tuple(check_number(beta, f"betas[{i}]", low=0, high=1, high_open=True) for i, beta in enumerate(betas))

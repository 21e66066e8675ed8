"""Optimisers: worked steps, what the rules promise, saving, clipping and bad input."""

import inspect
import math

import numpy as np
import pytest
import torch

from dlcourse import optim, optim_torch
from dlcourse.module import Parameter

RULES = ["SGD", "Momentum", "Nesterov", "Adagrad", "RMSprop", "Adam", "AdamW"]


def take(rule, w, gradients, **options):
    """Return the path of one weight under a fixed sequence of gradients."""
    parameter = Parameter(np.array([float(w)]))
    optimizer = getattr(optim, rule)([parameter], **options)
    path = []
    for g in gradients:
        parameter.grad = np.array([float(g)])
        optimizer.step()
        path.append(parameter.data[0])
    return path


# Worked by hand: w = 1, gradients 2 and then 1. For Adam m = 1 and 1, corrected 2 and 4/3; v = 1
# and 1, corrected 4 and 16/7.
ADAM_SECOND = 0.1 * (4 / 3) / (16 / 7) ** 0.5


@pytest.mark.parametrize(
    ("rule", "options", "path"),
    [
        ("SGD", {"lr": 0.1}, [0.8, 0.7]),
        ("SGD", {"lr": 0.1, "weight_decay": 0.5}, [0.75, 0.6125]),             # g = 2.5, then 1.375
        ("Momentum", {"lr": 0.1, "momentum": 0.5}, [0.8, 0.6]),                # v = 2, then 2
        ("Nesterov", {"lr": 0.1, "momentum": 0.5}, [0.7, 0.5]),                # g + v/2 = 3, then 2
        ("Adagrad", {"lr": 0.1}, [0.9, 0.9 - 0.1 / 5**0.5]),                   # s = 4, then 5
        ("RMSprop", {"lr": 0.1, "alpha": 0.75}, [0.8, 0.8 - 0.1]),             # s = 1, then 1
        ("Adam", {"lr": 0.1, "betas": (0.5, 0.75)}, [0.9, 0.9 - ADAM_SECOND]),
        ("AdamW", {"lr": 0.1, "betas": (0.5, 0.75), "weight_decay": 0.5}, [0.85, 0.8075 - ADAM_SECOND]),
    ],
)
def test_two_steps_by_hand(rule, options, path):
    assert take(rule, 1, [2, 1], **options) == pytest.approx(path, abs=1e-7)


@pytest.mark.parametrize("eps", [0.0, 0.5])
def test_eps_is_added_to_the_root(eps):
    assert take("Adagrad", 0, [4], lr=1.0, eps=eps) == pytest.approx([-4 / (4 + eps)])
    assert take("RMSprop", 0, [4], lr=1.0, alpha=0.75, eps=eps) == pytest.approx([-4 / (2 + eps)])
    assert take("Adam", 0, [4], lr=1.0, eps=eps) == pytest.approx([-4 / (4 + eps)])


def lecture_momentum(w, v, g, lr, mu):
    """Take a step in the lecture's form."""
    v = mu * v - lr * g
    return w + v, v


def test_momentum_takes_the_path_of_the_lectures_form_while_lr_is_constant(rng):
    gradients = rng.standard_normal(20)
    w, v, path = 1.0, 0.0, []
    for g in gradients:
        w, v = lecture_momentum(w, v, g, 0.1, 0.9)
        path.append(w)
    np.testing.assert_allclose(take("Momentum", 1, gradients, lr=0.1, momentum=0.9), path, rtol=1e-12)


def test_momentum_rescales_the_whole_velocity_when_lr_changes():
    parameter = Parameter(np.zeros(1))
    optimizer = optim.Momentum([parameter], lr=1.0, momentum=0.5)
    parameter.grad = np.ones(1)
    optimizer.step()
    optimizer.lr = 0.1
    parameter.grad = np.zeros(1)
    optimizer.step()
    assert parameter.data[0] == pytest.approx(-1 - 0.1 * 0.5)
    w, v = lecture_momentum(0.0, 0.0, 1.0, 1.0, 0.5)
    w, v = lecture_momentum(w, v, 0.0, 0.1, 0.5)
    assert w == pytest.approx(-1 - 0.5)


def test_nesterov_stores_the_point_ahead_of_the_published_form():
    # L(w) = w^4 / 4, whose gradient w^3 is not linear, so that it matters where it is taken.
    lr, mu, w, v = 0.05, 0.9, 1.0, 0.0
    parameter = Parameter(np.array([w]))
    optimizer = optim.Nesterov([parameter], lr, mu)
    for _ in range(20):
        parameter.grad = parameter.data**3
        optimizer.step()
        v = mu * v - lr * (w + mu * v) ** 3
        w = w + v
        assert parameter.data[0] == pytest.approx(w + mu * v, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_adam_moves_by_lr_whatever_the_scale_of_a_constant_gradient(scale):
    path = take("Adam", 0, [scale] * 10, lr=0.1, eps=0.0)
    np.testing.assert_allclose(np.diff(path, prepend=0), -0.1, rtol=1e-12)


def test_adagrad_slows_down_with_the_root_of_time():
    path = take("Adagrad", 0, [3.0] * 16, lr=1.0)
    np.testing.assert_allclose(np.diff(path, prepend=0), -1 / np.sqrt(np.arange(1, 17)), rtol=1e-8)


def test_rmsprop_forgets_where_adagrad_does_not():
    gradients = [100.0] + [1.0] * 200
    rmsprop = take("RMSprop", 0, gradients, lr=1.0, alpha=0.9)
    adagrad = take("Adagrad", 0, gradients, lr=1.0)
    assert rmsprop[-2] - rmsprop[-1] == pytest.approx(1.0, rel=1e-3)
    assert adagrad[-2] - adagrad[-1] < 0.01


def test_adamw_decays_by_its_own_factor_and_adam_by_lr():
    # Without a loss, AdamW shrinks geometrically; in Adam the penalty's scale cancels in the quotient.
    assert take("AdamW", 2, [0] * 3, lr=0.1, weight_decay=0.5)[-1] == pytest.approx(2 * 0.95**3)
    for weight_decay in (0.5, 5.0):
        assert take("Adam", 2, [0], lr=0.1, weight_decay=weight_decay)[-1] == pytest.approx(1.9)


def steps_in_the_ravine(rule, **options):
    """Count steps until L(x, y) = (x^2 + 100 y^2) / 2, steep in y and shallow in x, falls below 1e-6."""
    parameter = Parameter(np.array([1.0, 1.0]))
    optimizer = getattr(optim, rule)([parameter], **options)
    for count in range(1, 2001):
        parameter.grad = np.array([1.0, 100.0]) * parameter.data
        optimizer.step()
        if parameter.data @ (np.array([1.0, 100.0]) * parameter.data) / 2 < 1e-6:
            return count
    return math.inf


def test_momentum_shortens_the_way_along_the_ravine():
    # Plain descent needs (1 - lr)^n ~ 1e-3 along x, and lr < 2/100 for y not to diverge: some 400 steps.
    plain = min(steps_in_the_ravine("SGD", lr=lr) for lr in (0.005, 0.01, 0.015, 0.019))
    assert 300 < plain < 500
    assert steps_in_the_ravine("Momentum", lr=0.01, momentum=0.8) < plain / 3
    assert steps_in_the_ravine("Nesterov", lr=0.01, momentum=0.8) < plain / 3
    assert steps_in_the_ravine("SGD", lr=0.021) == math.inf


@pytest.mark.parametrize("rule", RULES)
def test_updates_happen_in_place_and_leave_the_gradient_alone(rule, rng):
    data, grad = rng.standard_normal((2, 3)).astype(np.float32)
    kept, kept_grad = data.copy(), grad.copy()
    parameter = Parameter(data)
    parameter.grad = grad
    getattr(optim, rule)([parameter], lr=0.1, weight_decay=0.1).step()
    assert parameter.data is data
    assert data.dtype == np.float32
    assert np.all(data != kept)
    np.testing.assert_array_equal(grad, kept_grad)


@pytest.mark.parametrize("rule", RULES)
def test_a_parameter_without_gradient_is_skipped(rule):
    with_one, without = Parameter(np.ones(2)), Parameter(np.ones(2))
    optimizer = getattr(optim, rule)([with_one, without], lr=0.1, weight_decay=0.1)
    with_one.grad = np.ones(2)
    optimizer.step()
    assert np.all(with_one.data != 1)
    np.testing.assert_array_equal(without.data, 1)
    assert [state["step"] for state in optimizer.state] == [1, 0]
    optimizer.zero_grad()
    assert with_one.grad is None


@pytest.mark.parametrize("module", [optim, optim_torch])
def test_a_parameter_listed_twice_is_updated_once(module):
    parameter = Parameter(np.ones(1)) if module is optim else torch.nn.Parameter(torch.ones(1))
    parameter.grad = np.ones(1) if module is optim else torch.ones(1)
    module.SGD([parameter, parameter], lr=0.25).step()
    assert float(parameter.data[0]) == 0.75


def test_params_may_be_a_generator():
    parameters = [Parameter(np.ones(1)), Parameter(np.ones(1))]
    assert optim.SGD((p for p in parameters), lr=0.1).params == parameters


@pytest.mark.parametrize("rule", RULES)
def test_a_checkpoint_file_resumes_exactly(rule, rng, tmp_path):
    gradients = rng.standard_normal((10, 2, 3))
    parameters = [Parameter(np.ones(3)), Parameter(np.ones(3))]
    optimizer = getattr(optim, rule)(parameters, lr=0.05, weight_decay=0.02)

    def go_on(optimizer, steps):
        for step in steps:
            for parameter, grad in zip(optimizer.params, gradients[step], strict=True):
                parameter.grad = grad
            optimizer.step()

    go_on(optimizer, range(5))
    np.savez(tmp_path / "state.npz", **optimizer.state_dict())
    copies = [Parameter(p.data.copy()) for p in parameters]
    go_on(optimizer, range(5, 10))

    resumed = getattr(optim, rule)(copies, lr=1.0)
    with np.load(tmp_path / "state.npz") as saved:          # no pickle: arrays and numbers only
        resumed.load_state_dict(saved)
    go_on(resumed, range(5, 10))
    for old, new in zip(parameters, copies, strict=True):
        np.testing.assert_array_equal(new.data, old.data)
    assert resumed.state_dict().keys() == optimizer.state_dict().keys()


def test_a_saved_state_does_not_change_with_later_steps():
    parameter = Parameter(np.ones(1))
    optimizer = optim.Momentum([parameter], lr=0.1)
    parameter.grad = np.ones(1)
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.step()
    assert saved["0.step"] == 1
    assert saved["0.momentum_buffer"] == pytest.approx([1.0])


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    optimizer = optim.Momentum([Parameter(np.ones(2))], lr=0.1)
    good = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"state: expected the names .* missing \['0.momentum_buffer'\]"):
        optimizer.load_state_dict({name: good[name] for name in good if name != "0.momentum_buffer"})
    with pytest.raises(ValueError, match=r"state: .* unknown \['1.step'\]"):
        optimizer.load_state_dict({**good, "1.step": 3})
    with pytest.raises(ValueError, match=r"state\['0.momentum_buffer'\]: expected shape \(2,\), got \(1,\)"):
        optimizer.load_state_dict({**good, "lr": 5.0, "0.momentum_buffer": np.ones(1)})
    assert optimizer.lr == 0.1
    np.testing.assert_array_equal(optimizer.state[0]["momentum_buffer"], 0)


@pytest.mark.parametrize("module", [optim, optim_torch])
def test_a_rule_must_write_update(module):
    parameter = Parameter(np.ones(1)) if module is optim else torch.nn.Parameter(torch.ones(1))
    parameter.grad = parameter.data
    optimizer = module.Optimizer([parameter], lr=0.1)
    with pytest.raises(NotImplementedError, match="Optimizer has no update"):
        optimizer.step()


def test_own_torch_rules_follow_a_scheduler():
    class Plain(optim_torch.Optimizer):
        def update(self, w, g, state):
            w -= self.lr * g

    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = Plain([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    for _ in range(3):
        parameter.grad = torch.ones(1)
        optimizer.step()
        schedule.step()
    assert parameter.item() == -1.75


@pytest.mark.parametrize("rule", RULES)
def test_counterparts_are_torchs_own(rule):
    own = {"Momentum": "SGD", "Nesterov": "SGD"}.get(rule, rule)
    assert issubclass(getattr(optim_torch, rule), getattr(torch.optim, own))


@pytest.mark.parametrize("rule", RULES)
def test_defaults_are_those_of_the_counterpart_and_of_torch(rule):
    def defaults(function):
        given = inspect.signature(function).parameters.values()
        return {argument.name: argument.default for argument in given if argument.default is not argument.empty}

    ours = defaults(getattr(optim, rule))
    assert ours == defaults(getattr(optim_torch, rule))
    if rule not in ("Momentum", "Nesterov"):               # torch.optim.SGD has no momentum by default
        own = defaults(getattr(torch.optim, rule))
        assert ours == {name: own[name] for name in ours}


# --- clipping

def test_clipping_shortens_all_gradients_together(rng):
    parameters = [Parameter(np.zeros(3)), Parameter(np.zeros((2, 2)))]
    before = [rng.standard_normal(p.shape) for p in parameters]
    for parameter, grad in zip(parameters, before, strict=True):
        parameter.grad = grad.copy()
    flat = np.concatenate([g.ravel() for g in before])
    assert optim.clip_grad_norm_(parameters, 0.5) == pytest.approx(np.linalg.norm(flat))
    clipped = np.concatenate([p.grad.ravel() for p in parameters])
    assert np.linalg.norm(clipped) == pytest.approx(0.5, rel=1e-5)
    np.testing.assert_allclose(clipped / np.linalg.norm(clipped), flat / np.linalg.norm(flat))


def test_clipping_leaves_a_short_gradient_alone():
    parameter = Parameter(np.zeros(2))
    parameter.grad = np.array([3.0, 4.0])
    assert optim.clip_grad_norm_([parameter], 5.1) == 5
    np.testing.assert_array_equal(parameter.grad, [3, 4])


@pytest.mark.parametrize("clip", ["clip_grad_norm_", "clip_grad_value_"])
def test_clipping_spares_arrays_that_others_hold(clip):
    shared = np.array([3.0, 4.0])
    parameters = [Parameter(np.zeros(2)), Parameter(np.zeros(2))]
    for parameter in parameters:
        parameter.accumulate(shared)
    getattr(optim, clip)(parameters, 1.0)
    np.testing.assert_array_equal(shared, [3, 4])
    np.testing.assert_array_equal(parameters[0].grad, parameters[1].grad)


def test_clipping_a_value_by_hand():
    parameter = Parameter(np.zeros(3, np.float32))
    parameter.grad = np.array([-5, 0.25, 2], np.float32)
    assert optim.clip_grad_value_([parameter], 0.5) is None
    np.testing.assert_array_equal(parameter.grad, np.array([-0.5, 0.25, 0.5], np.float32))
    assert parameter.grad.dtype == np.float32


@pytest.mark.parametrize("module", [optim, optim_torch])
def test_clipping_without_gradients(module):
    parameter = Parameter(np.ones(1)) if module is optim else torch.nn.Parameter(torch.ones(1))
    assert module.clip_grad_norm_([parameter], 1.0) == 0
    assert module.clip_grad_norm_([], 1.0) == 0
    module.clip_grad_value_([parameter], 1.0)
    assert parameter.grad is None


@pytest.mark.parametrize("module", [optim, optim_torch])
def test_clipping_does_not_hide_a_nan(module):
    bad = np.array([np.nan, 1.0])
    parameter = Parameter(np.ones(2)) if module is optim else torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    parameter.grad = bad if module is optim else torch.tensor(bad)
    assert math.isnan(module.clip_grad_norm_([parameter], 1.0))
    assert math.isnan(parameter.grad[1])


# --- bad input

@pytest.fixture(params=[optim, optim_torch], ids=["numpy", "torch"])
def twin(request):
    """Either half, with a parameter for it."""
    module = request.param
    return module, Parameter(np.ones(2)) if module is optim else torch.nn.Parameter(torch.ones(2))


@pytest.mark.parametrize("rule", [*RULES, "Optimizer"])
def test_rates_out_of_range(twin, rule):
    module, parameter = twin
    for lr in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^lr: expected a number in \[0, inf\), got"):
            getattr(module, rule)([parameter], lr=lr)
    with pytest.raises(TypeError, match=r"^lr: expected a number, got str"):
        getattr(module, rule)([parameter], lr="0.1")
    with pytest.raises(ValueError, match=r"^weight_decay: expected a number in \[0, inf\), got -1"):
        getattr(module, rule)([parameter], lr=0.1, weight_decay=-1)
    getattr(module, rule)([parameter], lr=0)


@pytest.mark.parametrize("rule", [*RULES, "Optimizer"])
def test_params_must_be_parameters(twin, rule):
    module, parameter = twin
    with pytest.raises(ValueError, match=r"^params: expected at least one \w+, got none"):
        getattr(module, rule)([], lr=0.1)
    with pytest.raises(TypeError, match=r"^params\[1\]: expected a \w+, got float 1.0"):
        getattr(module, rule)([parameter, 1.0], lr=0.1)
    with pytest.raises(TypeError, match=r"^params: expected a list of \w+, got"):
        getattr(module, rule)(parameter, lr=0.1)
    with pytest.raises(TypeError, match=r"^params: expected a list of \w+, got int 3"):
        getattr(module, rule)(3, lr=0.1)


@pytest.mark.parametrize("rule", ["Momentum", "Nesterov"])
@pytest.mark.parametrize("momentum", [-0.1, 1.0, 1.5, math.nan])
def test_momentum_out_of_range(twin, rule, momentum):
    module, parameter = twin
    with pytest.raises(ValueError, match=r"^momentum: expected a number in \[0, 1\), got"):
        getattr(module, rule)([parameter], lr=0.1, momentum=momentum)


@pytest.mark.parametrize("rule", ["Adam", "AdamW"])
def test_betas_out_of_range(twin, rule):
    module, parameter = twin
    with pytest.raises(ValueError, match=r"^betas\[0\]: expected a number in \[0, 1\), got 1.0"):
        getattr(module, rule)([parameter], betas=(1.0, 0.999))
    with pytest.raises(ValueError, match=r"^betas\[1\]: expected a number in \[0, 1\), got -0.1"):
        getattr(module, rule)([parameter], betas=(0.9, -0.1))
    with pytest.raises(TypeError, match=r"^betas: expected two numbers, got float 0.9"):
        getattr(module, rule)([parameter], betas=0.9)
    with pytest.raises(TypeError, match=r"^betas: expected two numbers, got tuple"):
        getattr(module, rule)([parameter], betas=(0.9, 0.99, 0.999))


def test_other_constants_out_of_range(twin):
    module, parameter = twin
    for rule in ("Adagrad", "RMSprop", "Adam", "AdamW"):
        with pytest.raises(ValueError, match=r"^eps: expected a number in \[0, inf\), got -1e-08"):
            getattr(module, rule)([parameter], eps=-1e-8)
    with pytest.raises(ValueError, match=r"^alpha: expected a number in \[0, 1\), got 1.0"):
        module.RMSprop([parameter], alpha=1.0)


def test_clipping_arguments(twin):
    module, parameter = twin
    with pytest.raises(ValueError, match=r"^max_norm: expected a number in \[0, inf\), got -1"):
        module.clip_grad_norm_([parameter], -1)
    with pytest.raises(ValueError, match=r"^clip_value: expected a number in \[0, inf\), got -1"):
        module.clip_grad_value_([parameter], -1)
    with pytest.raises(TypeError, match=r"^parameters\[0\]: expected a \w+, got int 3"):
        module.clip_grad_norm_([3], 1.0)
    with pytest.raises(TypeError, match=r"^parameters: expected a list of \w+, got"):
        module.clip_grad_value_(parameter, 1.0)

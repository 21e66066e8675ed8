"""Norms: one formula over different axes, the two modes, batch renormalisation, and bad input."""

import copy
import inspect
import math

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from dlcourse import normalization, normalization_torch
from dlcourse.gradcheck import numerical_gradient, relative_error
from dlcourse.interop import TORCH_ONLY

TWINS = pytest.mark.parametrize("module", [normalization, normalization_torch], ids=["numpy", "torch"])


def float64(module):
    return np.float64 if module is normalization else torch.float64


def make(module, name, *args, **options):
    return getattr(module, name)(*args, dtype=float64(module), **options)


def array(module, values):
    return np.asarray(values) if module is normalization else torch.tensor(np.asarray(values))


def numbers(result):
    return result if isinstance(result, np.ndarray) else result.detach().numpy()


# Each norm with the axes its means are taken over, for input of shape (3, 4, 2, 5); groups of two
# channels are made an axis of their own.
NORMS = {
    "BatchNorm2d": ((4,), (3, 4, 2, 5), (0, 2, 3)),
    "LayerNorm": (((4, 2, 5),), (3, 4, 2, 5), (1, 2, 3)),
    "InstanceNorm2d": ((4,), (3, 4, 2, 5), (2, 3)),
    "GroupNorm": ((2, 4), (3, 2, 2, 2, 5), (2, 3, 4)),
}


@TWINS
@pytest.mark.parametrize("name", NORMS)
def test_means_are_zero_and_variances_one_over_the_axes_of_each_norm(module, name, rng):
    args, shape, over = NORMS[name]
    x = 3 + 2 * rng.standard_normal((3, 4, 2, 5))
    y = numbers(make(module, name, *args, eps=1e-12)(array(module, x))).reshape(shape)
    np.testing.assert_allclose(y.mean(axis=over), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=over), 1, rtol=1e-9)
    # Over one axis less they are not: these are the axes, and no smaller set.
    assert np.abs(y.mean(axis=over[1:])).max() > 0.1


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_undoes_shift_and_scale_and_its_gradient_knows(name, rng):
    args, shape, over = NORMS[name]
    x, dy = rng.standard_normal((2, 3, 4, 2, 5))
    norm = make(normalization, name, *args, eps=1e-12)
    shift, scale = rng.uniform(1, 2, (2, *np.mean(x.reshape(shape), axis=over, keepdims=True).shape))
    moved = (scale * x.reshape(shape) + shift).reshape(x.shape)
    np.testing.assert_allclose(norm(moved), norm(x), atol=1e-9)
    dx = norm.backward(dy).reshape(shape)
    np.testing.assert_allclose(dx.sum(axis=over), 0, atol=1e-12)                        # shifts do nothing
    np.testing.assert_allclose((dx * x.reshape(shape)).sum(axis=over), 0, atol=1e-9)    # nor does stretching


@TWINS
def test_batch_norm_by_hand(module):
    norm = make(module, "BatchNorm1d", 2, eps=1e-12, momentum=0.1)
    y = norm(array(module, [[1.0, 10.0], [3.0, 40.0]]))               # means 2, 25; deviations 1, 15
    np.testing.assert_allclose(numbers(y), [[-1, -1], [1, 1]])
    np.testing.assert_allclose(numbers(norm.running_mean), [0.2, 2.5])
    np.testing.assert_allclose(numbers(norm.running_var), [0.9 + 0.1 * 2, 0.9 + 0.1 * 450])  # unbiased: 2, 450
    y = norm.eval()(array(module, [[0.2 + math.sqrt(1.1), 2.5]]))
    np.testing.assert_allclose(numbers(y), [[1, 0]], atol=1e-9)


@TWINS
def test_other_norms_by_hand(module):
    x = array(module, np.array([1.0, 3.0, 10.0, 30.0, 5.0, 5.0, 0.0, 2.0]).reshape(1, 4, 1, 2))
    norm = make(module, "InstanceNorm2d", 4, eps=1e-12)
    np.testing.assert_allclose(numbers(norm(x)).ravel(), [-1, 1, -1, 1, 0, 0, -1, 1], atol=1e-9)
    norm = make(module, "GroupNorm", 2, 4, eps=1e-12)                   # means 11 and 3
    first = np.array([-10, -8, -1, 19]) / math.sqrt(131.5)
    second = np.array([2, 2, -3, -1]) / math.sqrt(4.5)
    np.testing.assert_allclose(numbers(norm(x)).ravel(), [*first, *second])
    norm = make(module, "LayerNorm", 2, eps=3.0)                      # s = sqrt(1 + 3) = 2
    np.testing.assert_allclose(numbers(norm(array(module, [[1.0, 3.0]]))), [[-0.5, 0.5]])


@TWINS
def test_norms_coincide_where_their_axes_do(module, rng):
    x = array(module, rng.standard_normal((3, 4, 2, 5)))
    instance = numbers(make(module, "InstanceNorm2d", 4)(x))
    np.testing.assert_allclose(numbers(make(module, "GroupNorm", 4, 4)(x)), instance, rtol=1e-9)
    np.testing.assert_allclose(numbers(make(module, "BatchNorm2d", 4)(x[:1])), instance[:1], rtol=1e-9)
    layer = numbers(make(module, "LayerNorm", (4, 2, 5))(x))
    np.testing.assert_allclose(numbers(make(module, "GroupNorm", 1, 4)(x)), layer, rtol=1e-9)
    rows = numbers(x).transpose(0, 2, 3, 1).reshape(-1, 4)            # every position is an example
    y = numbers(make(module, "BatchNorm1d", 4)(array(module, rows))).reshape(3, 2, 5, 4).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(numbers(make(module, "BatchNorm2d", 4)(x)), y, rtol=1e-9)


@TWINS
@pytest.mark.parametrize(
    ("name", "mixes"), [("BatchNorm2d", True), ("LayerNorm", False), ("InstanceNorm2d", False), ("GroupNorm", False)]
)
def test_only_batch_norm_mixes_examples_and_only_in_training(module, name, mixes, rng):
    x = rng.standard_normal((3, 4, 2, 5))
    other = np.concatenate([x[:1], rng.standard_normal((2, 4, 2, 5))])
    norm = make(module, name, *NORMS[name][0])
    moved = np.abs(numbers(norm(array(module, x)))[0] - numbers(norm(array(module, other)))[0]).max()
    assert (moved > 0.1) == mixes
    norm.eval()
    np.testing.assert_array_equal(
        numbers(norm(array(module, x)))[0], numbers(norm(array(module, other)))[0]
    )


@TWINS
@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchRenorm1d"])
def test_running_averages_settle_at_the_data_and_rest_in_evaluation(module, name, rng):
    # The average of 20 recent batches of 500: standard error 2 / sqrt(500 * 19) = 0.02, six of them 0.12
    # (false alarm 2e-9). For the variance 4 the standard error is 4 * sqrt(2 / 9500) = 0.06.
    norm = make(module, name, 1, momentum=0.1)
    for _ in range(200):
        norm(array(module, 3 + 2 * rng.standard_normal((500, 1))))
    assert float(norm.running_mean[0]) == pytest.approx(3, abs=0.12)
    assert float(norm.running_var[0]) == pytest.approx(4, abs=0.36)
    kept = numbers(norm.running_mean).copy(), numbers(norm.running_var).copy()
    norm.eval()(array(module, rng.standard_normal((5, 1))))
    np.testing.assert_array_equal(numbers(norm.running_mean), kept[0])
    np.testing.assert_array_equal(numbers(norm.running_var), kept[1])


def test_momentum_is_the_weight_of_the_new_value():
    x = np.array([[1.0], [5.0]])
    for momentum, mean in ((0.0, 0.0), (0.25, 0.75), (1.0, 3.0)):
        norm = normalization.BatchNorm1d(1, momentum=momentum)
        norm(x)
        assert norm.running_mean[0] == mean


@TWINS
@pytest.mark.parametrize("name", ["BatchNorm1d", "LayerNorm"])
def test_a_constant_feature_becomes_the_bias(module, name):
    norm = make(module, name, 3)
    np.testing.assert_array_equal(numbers(norm(array(module, np.full((3, 3), 7.0)))), 0)


@pytest.mark.parametrize("name", [*NORMS, "BatchNorm1d", "BatchRenorm1d"])
def test_names_and_defaults_are_torchs(name):
    args = (2, 4) if name == "GroupNorm" else (4,)
    ours = getattr(normalization, name)(*args)
    theirs = getattr(normalization_torch, name)(*args)
    state = {key for key in theirs.state_dict() if not key.endswith(TORCH_ONLY)}
    assert set(ours.state_dict()) == state
    for argument in inspect.signature(type(ours)).parameters.values():
        if argument.kind is argument.POSITIONAL_OR_KEYWORD and argument.default is not argument.empty:
            default = inspect.signature(type(theirs)).parameters[argument.name].default
            assert argument.default == default
    if name != "BatchRenorm1d":
        own = inspect.signature(getattr(torch.nn, name)).parameters
        for argument in inspect.signature(type(ours)).parameters.values():
            if argument.name in own and argument.name != "dtype":
                assert argument.default == own[argument.name].default


def test_backward_follows_the_mode_of_the_forward_pass(rng):
    norm, x, dy = normalization.BatchNorm1d(2), *rng.standard_normal((2, 5, 2))
    norm.eval()
    norm(x)
    norm.train()
    np.testing.assert_allclose(norm.backward(dy), dy / math.sqrt(1 + 1e-5))


# --- batch renormalisation

def settled(module, name, rng, **options):
    """Return a norm whose running averages are those of N(3, 2^2) data."""
    norm = make(module, name, 2, momentum=0.0, **options)
    norm.running_mean[:] = 3
    norm.running_var[:] = 4
    return norm


@TWINS
def test_renorm_without_limits_is_evaluation_mode(module, rng):
    norm = settled(module, "BatchRenorm1d", rng, r_max=1e6, d_max=1e6)
    x = array(module, 3 + 2 * rng.standard_normal((2, 2)))
    np.testing.assert_allclose(numbers(norm(x)), numbers(norm.eval()(x)), rtol=1e-9)


def test_renorm_at_the_tightest_limits_is_batch_norm(rng):
    x, dy = rng.standard_normal((2, 4, 2))
    renorm = settled(normalization, "BatchRenorm1d", rng, r_max=1.0, d_max=0.0)
    batch = settled(normalization, "BatchNorm1d", rng)
    np.testing.assert_allclose(renorm(x), batch(x), rtol=1e-12)
    np.testing.assert_allclose(renorm.backward(dy), batch.backward(dy), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(renorm.weight.grad, batch.weight.grad, rtol=1e-12)


def test_renorm_by_hand():
    # The batch 4, 8 has mean 6 and deviation 2; running mean 3 and deviation 1: r = 2 and d = 3.
    norm = normalization.BatchRenorm1d(1, eps=1e-12, momentum=0.0)
    norm.running_mean[:] = 3
    x = np.array([[4.0], [8.0]])
    np.testing.assert_allclose(norm(x), [[1], [5]])                    # 2 * (-1) + 3, 2 * 1 + 3
    norm.r_max, norm.d_max = 1.5, 1.0
    np.testing.assert_allclose(norm(x), [[-0.5], [2.5]])               # 1.5 * (-1) + 1, 1.5 * 1 + 1
    norm.running_mean[:], norm.running_var[:] = 26, 100                # r = 1/5 and d = -2, both clipped
    np.testing.assert_allclose(norm(x), [[-1 / 1.5 - 1], [1 / 1.5 - 1]])


@pytest.mark.parametrize("limits", [(1e6, 1e6), (1.05, 0.1)])
def test_renorm_gradient_with_frozen_corrections(limits, rng):
    """Difference quotients of the formula in which r and d are numbers, whatever the batch does."""
    norm = settled(normalization, "BatchRenorm1d", rng, r_max=limits[0], d_max=limits[1])
    norm.weight.data[:] = [0.5, -2.0]
    x, dy = 3 + 2 * rng.standard_normal((6, 2)), rng.standard_normal((6, 2))
    std = np.sqrt(x.var(axis=0) + norm.eps)
    run = math.sqrt(4 + norm.eps)
    r = np.clip(std / run, 1 / limits[0], limits[0])
    d = np.clip((x.mean(axis=0) - 3) / run, -limits[1], limits[1])

    def loss(x):
        hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + norm.eps) * r + d
        return np.sum(dy * norm.weight.data * hat)

    norm(x)
    assert relative_error(norm.backward(dy), numerical_gradient(loss, x)) < 1e-6


def gap_between_modes(name, rng, batch_size):
    """Measure how far training outputs are from evaluation outputs of the same examples."""
    norm, gaps = settled(normalization, name, rng), []
    for _ in range(200):
        x = 3 + 2 * rng.standard_normal((batch_size, 2))
        gaps.append(np.abs(norm.train()(x) - norm.eval()(x)).mean())
    return np.mean(gaps)


def test_small_batches_break_batch_norm_and_renorm_repairs_it(rng):
    batch, renorm = gap_between_modes("BatchNorm1d", rng, 4), gap_between_modes("BatchRenorm1d", rng, 4)
    large = gap_between_modes("BatchNorm1d", rng, 256)
    assert batch > 0.3
    assert renorm < batch / 5
    assert large < batch / 5


# --- inputs

@TWINS
def test_inputs_match_scikit_learn_and_nothing_leaks(module, rng):
    train, test = 5 + 3 * rng.standard_normal((50, 4)), 9 + rng.standard_normal((20, 4))
    train[:, 2] = test[:, 2] = 0.1                                     # a constant feature
    scaler = StandardScaler().fit(train)
    norm = make(module, "InputNormalizer", 4).fit(array(module, train))
    kept = numbers(norm.mean).copy(), numbers(norm.std).copy()
    for data in (train, test):
        np.testing.assert_allclose(numbers(norm(array(module, data))), scaler.transform(data), atol=1e-12)
    np.testing.assert_array_equal(numbers(norm.mean), kept[0])
    np.testing.assert_array_equal(numbers(norm.std), kept[1])
    assert np.abs(numbers(norm(array(module, test))).mean(axis=0)[[0, 1, 3]]).min() > 0.5


@TWINS
def test_inputs_of_images_have_a_mean_per_channel(module, rng):
    x = rng.standard_normal((6, 3, 2, 4)) * np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1) + 5
    y = numbers(make(module, "InputNormalizer", 3).fit(array(module, x))(array(module, x)))
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-12)


def test_a_single_example_is_all_constant():
    norm = normalization.InputNormalizer(2).fit(np.array([[3.0, 4.0]]))
    np.testing.assert_array_equal(norm(np.array([[3.0, 5.0]])), [[0, 1]])


def test_float32_statistics_of_many_examples_are_exact(rng):
    # Row after row is added to two running sums. In float32 these would be off in the third digit.
    x = (1000 + rng.standard_normal((400_000, 2))).astype(np.float32)
    assert abs(x.mean(axis=0)[0] - x.astype(np.float64).mean(axis=0)[0]) > 0.1
    norm = normalization.InputNormalizer(2, dtype=np.float32).fit(x)
    assert norm.mean.dtype == norm.std.dtype == norm(x[:2]).dtype == np.float32
    np.testing.assert_allclose(norm.mean, x.astype(np.float64).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(norm.std, x.astype(np.float64).std(axis=0), rtol=1e-6)


@TWINS
def test_inputs_must_be_fitted(module):
    norm = make(module, "InputNormalizer", 2)
    with pytest.raises(RuntimeError, match=r"^InputNormalizer: expected fit\(training data\) before forward"):
        norm(array(module, np.ones((1, 2))))
    with pytest.raises(ValueError, match=r"^x: expected at least one element"):
        norm.fit(array(module, np.ones((0, 2))))
    with pytest.raises(ValueError, match=r"^x: expected finite numbers, got"):
        norm.fit(array(module, np.array([[1.0, np.nan]])))
    with pytest.raises(ValueError, match=r"^x: expected shape \(N, 2\), got \(3, 1\)"):
        norm.fit(array(module, np.ones((3, 1))))


# --- the counterparts in practice

COMPILED = [
    ("BatchNorm1d", (3,), (4, 3)),
    ("BatchNorm2d", (3,), (4, 3, 2, 2)),
    ("BatchRenorm1d", (3,), (4, 3)),
    ("LayerNorm", (3,), (4, 3)),
    ("InstanceNorm2d", (3,), (4, 3, 2, 2)),
    ("GroupNorm", (1, 3), (4, 3)),
    ("InputNormalizer", (3,), (4, 3)),
]


@pytest.mark.parametrize(("name", "args", "shape"), COMPILED)
def test_counterparts_compile_in_one_piece(name, args, shape):
    norm = getattr(normalization_torch, name)(*args)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    if name == "InputNormalizer":
        norm.fit(x)
    expected = copy.deepcopy(norm)(x)
    compiled = torch.compile(norm, backend="eager", fullgraph=True)    # refuses to break the graph
    torch.testing.assert_close(compiled(x), expected)


def test_renorm_keeps_its_averages_in_full_precision_under_autocast():
    norm, x = normalization_torch.BatchRenorm1d(3), torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        y = norm(x.bfloat16())
    assert y.dtype == torch.bfloat16
    assert norm.running_mean.dtype == torch.float32
    torch.testing.assert_close(norm.running_mean, 0.1 * x.bfloat16().float().mean(dim=0))


# --- bad input

@TWINS
@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("BatchNorm1d", (3,), (1, 3)),
        ("BatchNorm1d", (3,), (0, 3)),
        ("BatchNorm1d", (3,), (1, 3, 1)),
        ("BatchNorm2d", (3,), (1, 3, 1, 1)),
        ("BatchNorm2d", (3,), (0, 3, 2, 2)),
        ("BatchRenorm1d", (3,), (1, 3)),
        ("BatchRenorm1d", (3,), (0, 3)),
        ("LayerNorm", (1,), (4, 1)),
        ("InstanceNorm2d", (3,), (2, 3, 1, 1)),
        ("InstanceNorm2d", (3,), (2, 3, 0, 1)),
        ("GroupNorm", (3, 3), (2, 3)),
        ("GroupNorm", (3, 3), (2, 3, 1)),
    ],
)
def test_a_single_value_cannot_be_normalised(module, name, args, shape):
    norm = make(module, name, *args)
    with pytest.raises(ValueError, match=r"^x: expected more than one value to take each mean over, got [01], shape"):
        norm(array(module, np.ones(shape)))
    if "Batch" in name:
        assert norm.eval()(array(module, np.ones(shape))).shape == shape


@TWINS
@pytest.mark.parametrize(
    ("name", "args", "expected", "shape"),
    [
        ("BatchNorm1d", (3,), r"\(N, 3\)", (5, 4)),
        ("BatchNorm1d", (3,), r"\(N, 3, L\)", (5, 4, 3)),
        ("BatchNorm1d", (3,), r"\(N, 3\)", (3,)),
        ("BatchNorm2d", (3,), r"\(N, 3, H, W\)", (5, 3)),
        ("BatchRenorm1d", (3,), r"\(N, 3\)", (5, 3, 2, 2)),
        ("LayerNorm", ((2, 3),), r"\(..., 2, 3\)", (5, 3, 2)),
        ("InstanceNorm2d", (3,), r"\(N, 3, H, W\)", (3, 5, 5)),
        ("GroupNorm", (1, 3), r"\(N, 3, 4\)", (5, 2, 4)),
        ("GroupNorm", (1, 3), r"\(N, 3\)", (3,)),
    ],
)
def test_bad_shapes(module, name, args, expected, shape):
    norm = make(module, name, *args)
    with pytest.raises(ValueError, match=rf"^x: expected shape {expected}, got \({shape[0]}"):
        norm(array(module, np.ones(shape)))
    with pytest.raises(TypeError, match=r"^x: expected dtype .*float.*, got .*int64"):
        norm(array(module, np.ones(shape, np.int64)))
    if name != "InstanceNorm2d":                                       # which has no parameters by default
        with pytest.raises(TypeError, match=r"^x: expected dtype .*float64, got .*float32"):
            norm(array(module, np.ones(shape, np.float32)))
    with pytest.raises(TypeError, match=r"^x: expected a .*, got list"):
        norm([1.0])


@TWINS
@pytest.mark.parametrize(
    ("name", "args", "options", "error", "message"),
    [
        ("BatchNorm1d", (0,), {}, ValueError, r"num_features: expected an integer at least 1, got 0"),
        ("BatchNorm2d", (2.0,), {}, TypeError, r"num_features: expected an integer, got float 2.0"),
        ("InstanceNorm2d", (0,), {}, ValueError, r"num_features: expected an integer at least 1, got 0"),
        ("InputNormalizer", (0,), {}, ValueError, r"num_features: expected an integer at least 1, got 0"),
        ("BatchNorm1d", (2,), {"momentum": 1.5}, ValueError, r"momentum: expected a number in \[0, 1\], got 1.5"),
        ("BatchNorm2d", (2,), {"momentum": None}, TypeError, r"momentum: expected a number, got NoneType"),
        ("BatchRenorm1d", (2,), {"r_max": 0.5}, ValueError, r"r_max: expected a number in \[1, inf\), got 0.5"),
        ("BatchRenorm1d", (2,), {"d_max": -1}, ValueError, r"d_max: expected a number in \[0, inf\), got -1"),
        ("BatchNorm1d", (2,), {"eps": -1}, ValueError, r"eps: expected a number in \(0, inf\), got -1"),
        ("LayerNorm", (2,), {"eps": 0}, ValueError, r"eps: expected a number in \(0, inf\), got 0"),
        ("InstanceNorm2d", (2,), {"eps": -1}, ValueError, r"eps: expected a number in \(0, inf\), got -1"),
        ("GroupNorm", (1, 2), {"eps": -1}, ValueError, r"eps: expected a number in \(0, inf\), got -1"),
        ("LayerNorm", ((),), {}, ValueError, r"normalized_shape: expected at least one size, got \(\)"),
        ("LayerNorm", ((2, 0),), {}, ValueError, r"normalized_shape: expected an integer at least 1, got 0"),
        ("LayerNorm", ("2",), {}, TypeError, r"normalized_shape: expected an integer or a tuple of them, got str"),
        ("GroupNorm", (0, 2), {}, ValueError, r"num_groups: expected an integer at least 1, got 0"),
        ("GroupNorm", (1, 0), {}, ValueError, r"num_channels: expected an integer at least 1, got 0"),
        ("GroupNorm", (3, 7), {}, ValueError, r"num_channels: expected a multiple of num_groups \(3\), got 7"),
    ],
)
def test_bad_constructor_arguments(module, name, args, options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        make(module, name, *args, **options)


@pytest.mark.parametrize("name", [*NORMS, "InputNormalizer"])
def test_bad_gradients(name):
    x = np.random.default_rng(0).standard_normal((3, 4, 2, 5))
    norm = make(normalization, name, *NORMS[name][0]) if name in NORMS else normalization.InputNormalizer(4).fit(x)
    norm(x)
    with pytest.raises(ValueError, match=r"^dy: expected shape \(.*\), got \(3, 2, 5\)"):
        norm.backward(x[:, 0])

from otter.test_files import test_case

OK_FORMAT = False

name = "q3"
points = 4


@test_case(
    points=0,
    hidden=False,
    failure_message="The rows of the matrix are (1, 0, 0, 0, 0, 0, 0, 2) and (2, 0, 0, 0, 0, 0, 0, 1).",
)
def test_the_flat_gain_by_hand(flat_gain):
    import torch
    from dlcourse.checks import expect_close

    weight = torch.zeros(2, 2, 2, 2, dtype=torch.float64)
    weight[:, 0, 0, 0], weight[:, 1, 1, 1] = (torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0]))
    mistakes = {
        "This is the length of all weights together. The largest singular value is asked for.": 10**0.5,
        "This is the smallest singular value.": 1.0,
        "This is the sum of the singular values.": 4.0,
        "This is the square of a singular value, as the eigenvalues of W W^T are.": 9.0,
        "Here each channel has a row of its own, or this is the length of one row. W has O rows.": 5**0.5,
        "This is the value of a single 2x2 kernel. W has O rows and C F F columns.": 2.0,
        "Each 2x2 kernel has a value of its own here. W has O rows and C F F columns.": [[1, 2], [2, 1]],
    }
    expect_close(flat_gain(weight), 3, "flat_gain(weight)", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="The kernel (1, -1), (0, 0) takes the difference of two neighbours. Which wave does it enlarge most?",
)
def test_the_gain_of_a_difference_by_hand(wave_gain):
    import torch
    from dlcourse.checks import expect_close

    weight = torch.tensor([[[[1.0, -1.0], [0.0, 0.0]]]], dtype=torch.float64)
    mistakes = {
        "This is the gain for an even picture, u = v = 0. Other waves are enlarged more.": 0.0,
        "This is the flat gain. On the ring an input can please many places at once.": 2**0.5,
        "This is the square of the gain.": 4.0,
    }
    expect_close(wave_gain(weight, 4), 2, "wave_gain(weight, 4)", rtol=0.0001, atol=1e-06, mistakes=mistakes)
    mistakes = {"The stripes 1, -1, 1 do not close to a ring of three. Does size stand in the exponent?": 2.0}
    expect_close(wave_gain(weight, 3), 3**0.5, "wave_gain(weight, 3)", rtol=0.0001, atol=1e-06, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="A 1x1 kernel is one matrix for all pixels, of O rows and C columns. Then every wave has this matrix.",
)
def test_the_gain_of_two_channels_by_hand(wave_gain):
    import torch
    from dlcourse.checks import expect_close

    weight = torch.tensor([3.0, 4.0], dtype=torch.float64).reshape(1, 2, 1, 1)
    mistakes = {
        "This is the largest amplitude of one channel. Each wave has a matrix over the channels.": 4.0,
        "The channels are added up. Of the matrix (3, 4) the singular value is asked for.": 7.0,
        "The axes of the frequencies were taken for those of the matrix. It has O rows and C columns.": 20.0,
        "The singular values of all waves are added up. The largest is asked for.": 125.0,
    }
    expect_close(wave_gain(weight, 5), 5, "wave_gain of a 1x1 kernel, two channels", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="On a ring of 3x3 pixels this kernel adds up the whole picture, at every place.",
)
def test_the_gain_of_nine_ones_by_hand(wave_gain):
    import torch
    from dlcourse.checks import expect_close

    weight = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    mistakes = {
        "All waves are averaged. The one that is enlarged most counts.": 1.0,
        "On the ring the even picture is enlarged more than that. This is the flat gain.": 3.0,
        "This is the square of the gain of nine ones.": 81.0,
    }
    expect_close(wave_gain(weight, 3), 9, "wave_gain(weight, 3)", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Before any step, this layer doubles the four corner pixels and sees no other.",
)
def test_a_walk_by_hand(walked_gain):
    import torch
    from dlcourse.checks import expect_close

    weight, x = (torch.zeros(1, 1, 3, 3, dtype=torch.float64), torch.ones(1, 1, 3, 3, dtype=torch.float64))
    weight[0, 0, 1, 1] = 2
    mistakes = {
        "The square of |Ax| / |x| came.": 16 / 9,
        "This is |Ax|. Divide it by |x|.": 4.0,
        "Is this the layer with stride 1? Or has x moved already? With 0 steps it stays.": 2.0,
        "This is the layer without padding.": 2 / 3,
    }
    expect_close(walked_gain(weight, x, 0), 4 / 3, "walked_gain after 0 steps", rtol=0.0001, mistakes=mistakes)
    mistakes = {
        "Nothing has moved. Is x replaced in each step?": 4 / 3,
        "This is the length of the gradient. After the steps, |Ax| / |x| is asked for.": 8.0,
    }
    expect_close(walked_gain(weight, x, 1), 2, "walked_gain after 1 step", rtol=0.0001, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="After one step x is 1 on the upper left 2x2 pixels, up to a factor. What does the layer make of it?",
)
def test_a_longer_walk_by_hand(walked_gain):
    import torch
    from dlcourse.checks import expect_close

    weight, x = (torch.ones(1, 1, 3, 3, dtype=torch.float64), torch.zeros(1, 1, 3, 3, dtype=torch.float64))
    x[0, 0, 0, 0] = 1
    mistakes = {
        "The last step is missing.": 1.0,
        "One step too many.": 41 / 14,
        "This is the layer with stride 1, or the step was made with it.": 50 / 9,
        "There is no padding. The pixels at the border see zeros beside them.": 3.0,
        "The gradient, divided by its length, was added to x. It takes the place of x.": 3.75**0.5,
        "The gradient was added to x. It takes the place of x.": (34 / 7) ** 0.5,
    }
    expect_close(walked_gain(weight, x, 1), 2.5, "walked_gain after 1 step", rtol=0.0001, mistakes=mistakes)
    expect_close(walked_gain(weight, x, 60), 3, "walked_gain after 60 steps", rtol=0.0001)


@test_case(
    points=0,
    hidden=False,
    failure_message="Of a kernel's weights only the length is given. Which weights of this length enlarge an even picture most?",
)
def test_the_worst_kernel_of_two(worst_kernel):
    import numpy as np
    from dlcourse.checks import expect_close, expect_shape, hint_if, plain

    answer = worst_kernel(2)
    expect_shape(answer, (1, 1, 2, 2), "worst_kernel(2)")
    kernel = plain(answer, "worst_kernel(2)").astype(float)[0, 0]
    mistakes = {
        "The weights add up to 1. It is their squares that have to.": 0.5,
        "All weights are 1: divide by the flat gain.": 2.0,
    }
    expect_close(np.linalg.norm(kernel), 1, "the flat gain of worst_kernel(2)", rtol=0.0001, mistakes=mistakes)
    gain = np.abs(np.fft.fft2(kernel, s=(12, 12))).max()
    hint_if(np.isclose(gain, 1), "It enlarges nothing, like a kernel that passes each pixel on.", "worst_kernel(2)")
    hint_if(gain < 2 - 0.0001, f"Its gain is {gain:.3f}. A kernel of the same length has more.", "worst_kernel(2)")


@test_case(
    points=0,
    hidden=False,
    failure_message="Here shapes have to be right as the docstrings say, and no argument is changed.",
)
def test_the_tensors_stay_as_they_are(flat_gain, wave_gain, walked_gain):
    import torch
    from dlcourse.checks import expect_shape, expect_unchanged, plain

    weight, x = (torch.arange(18.0).reshape(1, 2, 3, 3), torch.ones(1, 2, 4, 4))
    before = {"weight": plain(weight, "weight"), "x": plain(x, "x")}
    expect_shape(flat_gain(weight), (), "flat_gain(weight)")
    expect_shape(wave_gain(weight, 4), (), "wave_gain(weight, 4)")
    expect_shape(walked_gain(weight, x, 3), (), "walked_gain(weight, x, 3)")
    expect_unchanged(before["weight"], weight, "weight")
    expect_unchanged(before["x"], x, "x")

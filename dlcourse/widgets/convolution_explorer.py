"""Convolution explorer: nine shared weights slide over a picture, and each place gives one number.

What deep learning calls a convolution is a cross-correlation: the kernel is laid on the picture as
it is. The convolution of mathematics turns the kernel by 180 degrees first.
"""

import numpy as np

from ..conv import conv2d_loops
from .controls import Choice, Drawing, Slider, Toggle

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Convolution explorer"
ABOUT = (
    "Draw on the input, with the mouse or with arrow keys and space, and walk the window over it. Each output value "
    "is the sum of the pixels under the window, each times a weight of the kernel. Watch the output's size as you "
    "change stride, padding and dilation."
)

SIZE = 10          # the picture has SIZE x SIZE pixels
KERNEL_SIZE = 3


def picture(*rows):
    """Turn ten lines of text into pixels: ``#`` is 1, anything else 0.

    Parameters
    ----------
    *rows : str

    Returns
    -------
    ndarray of float64, shape (10, 10)
    """
    return np.array([[float(sign == "#") for sign in row] for row in rows])


PICTURES = {
    "seven": picture("..........", ".########.", ".########.", "......##..", ".....##...",
                     ".....##...", "....##....", "....##....", "....##....", ".........."),
    "edge": picture(*[".....#####"] * SIZE),
    "diagonal": np.eye(SIZE),
    "checkerboard": picture(*["#.#.#.#.#.", ".#.#.#.#.#"] * (SIZE // 2)),
    "pixel": picture(*[".........."] * 4, "....#.....", *[".........."] * 5),
    "blank": np.zeros((SIZE, SIZE)),
}
CROSS = picture("....##....", "....##....", "....##....", "....##....", "##########",
                "##########", "....##....", "....##....", "....##....", "....##....")

KERNELS = {
    "sobel_x": np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "sobel_y": np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "blur": np.full((KERNEL_SIZE, KERNEL_SIZE), 1 / 9),
    "sharpen": np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "outline": np.array([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "identity": np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "shift": np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]),
}


def nested(array):
    """Turn a matrix into a tuple of tuples, which a frozen control can hold."""
    return tuple(tuple(float(number) for number in row) for row in array)


CONTROLS = (
    Choice("picture", "Input picture", (("seven", "Digit 7"), ("edge", "Vertical edge"), ("diagonal", "Diagonal line"),
                                        ("checkerboard", "Checkerboard"), ("pixel", "One pixel"), ("blank", "Blank"),
                                        ("own", "My drawing")), "seven"),
    Choice("kernel", "Kernel", (("sobel_x", "Vertical edges (Sobel x)"), ("sobel_y", "Horizontal edges (Sobel y)"),
                                ("blur", "Blur (mean of nine)"), ("sharpen", "Sharpen"), ("outline", "Outline"),
                                ("identity", "Identity"), ("shift", "Corner (moves the picture)"),
                                ("own", "My weights")), "sobel_x"),
    Slider("stride", "Stride", 1, 3, 1, 1),
    Slider("padding", "Padding (rings of zeros)", 0, 3, 1, 0),
    Slider("dilation", "Dilation", 1, 3, 1, 1),
    Toggle("flip", "Flip the kernel (convolution as in mathematics)", False),
    Drawing("image", (SIZE, SIZE), 0.0, 1.0, nested(CROSS)),
    Drawing("weights", (KERNEL_SIZE, KERNEL_SIZE), -9.0, 9.0, nested(KERNELS["sobel_x"])),
)


def window(padded, kernel_size, i, j, stride, dilation):
    """Cut out the pixels that meet the kernel for output (i, j).

    Parameters
    ----------
    padded : ndarray of shape (H, W)
    kernel_size, i, j, stride, dilation : int

    Returns
    -------
    ndarray of shape (kernel_size, kernel_size)
        A view: every ``dilation``-th pixel, from row ``i * stride`` and column ``j * stride`` on.
    """
    reach = dilation * (kernel_size - 1) + 1
    top, left = i * stride, j * stride
    return padded[top:top + reach:dilation, left:left + reach:dilation]


def trace(image, kernel, shape, stride, padding, dilation):
    """Record what each sum was made of, and how often each pixel was used.

    Parameters
    ----------
    image : ndarray of float64, shape (H, W)
    kernel : ndarray of float64, shape (k, k)
    shape : (int, int)
        Of the output, (H', W').
    stride, padding, dilation : int

    Returns
    -------
    pixels, products : ndarray of float64, shape (H' * W', k * k)
        One row for each output, from left to right and from top to bottom.
    uses : ndarray of int, shape (H, W)
        In how many sums a pixel of the image is a term.
    """
    k = len(kernel)
    padded, counts = np.pad(image, padding), np.zeros([n + 2 * padding for n in image.shape], dtype=int)
    pixels = np.empty((*shape, k, k))
    for i, j in np.ndindex(*shape):
        pixels[i, j] = window(padded, k, i, j, stride, dilation)
        window(counts, k, i, j, stride, dilation)[...] += 1
    inside = slice(padding, padding + SIZE)
    return pixels.reshape(-1, k * k), (pixels * kernel).reshape(-1, k * k), counts[inside, inside]


def compute(picture, kernel, stride, padding, dilation, flip, image, weights):
    """Correlate a picture with a kernel and keep the steps.

    Parameters
    ----------
    picture, kernel : str
        A key of ``PICTURES`` and of ``KERNELS``, or ``"own"`` for `image` and `weights`.
    stride, padding, dilation : int
    flip : bool
        Whether the kernel is turned by 180 degrees first.
    image : ndarray of float64, shape (10, 10)
        What the reader drew.
    weights : ndarray of float64, shape (3, 3)
        What the reader typed.

    Returns
    -------
    dict
        ``image`` (10, 10); ``kernel`` (3, 3) as chosen and ``used`` as laid on the picture; ``output``
        (H', W'); ``pixels`` and ``products`` (H' * W', 9), the terms of each sum; ``size``, H';
        ``reach``, the pixels from one end of the window to the other; ``left_over``, the rows and columns of
        the padded picture beyond the last window; ``unused`` (bool, (10, 10)), the pixels that enter no sum,
        and ``unused_count``; ``dense``, the weights that a dense layer between the same sizes would have;
        ``strongest``, the index of the largest output by size; ``symmetric``, whether flipping changes nothing.
    """
    image = PICTURES.get(picture, np.asarray(image, dtype=np.float64))
    chosen = KERNELS.get(kernel, np.asarray(weights, dtype=np.float64))
    turned = chosen[::-1, ::-1]
    used = turned if flip else chosen
    output = conv2d_loops(image[None, None], used[None, None], None, stride, padding, dilation)[0, 0]   # (H', W')
    pixels, products, uses = trace(image, used, output.shape, stride, padding, dilation)
    size = len(output)
    reach = dilation * (KERNEL_SIZE - 1) + 1
    return {
        "image": image,
        "kernel": chosen,
        "used": used,
        "output": output,
        "pixels": pixels,
        "products": products,
        "size": size,
        "reach": reach,
        "left_over": SIZE + 2 * padding - reach - (size - 1) * stride,
        "unused": uses == 0,
        "unused_count": int(np.sum(uses == 0)),
        "dense": image.size * output.size,
        "strongest": int(np.argmax(np.abs(output))),
        "symmetric": bool(np.array_equal(turned, chosen)),
    }

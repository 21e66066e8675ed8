"""Pooling explorer: each window keeps its largest number, or their mean, and a shift is partly forgotten.

Forwards, a window of numbers becomes one. Backwards, max pooling sends each gradient to the pixel
that won; average pooling gives every pixel its share.
"""

import numpy as np

from ..pooling import AvgPool2d, MaxPool2d
from .controls import Choice, Counter, Slider

__all__ = ["ABOUT", "CONTROLS", "TITLE", "compute"]

TITLE = "Pooling explorer"
ABOUT = (
    "Each window of the input becomes one number of the output. Move the picture by a pixel and see whether the "
    "output changes less than the input. The gradient shows where a 1 at every output goes back to."
)

SIZE = 12          # the picture has SIZE x SIZE pixels
ROOM = 3           # the widest shift: so far right and down there is only paper


def picture(*rows):
    """Write a drawing of nine lines into the upper left corner; a digit is a tenth, a dot paper.

    Parameters
    ----------
    *rows : str

    Returns
    -------
    ndarray of float64, shape (12, 12)
    """
    drawing = np.array([[0.0 if sign == "." else int(sign) / 10 for sign in row] for row in rows])
    return np.pad(drawing, (0, ROOM))


PICTURES = {
    "seven": picture(".........", ".9999999.", ".1111199.", ".....29..", "....39...",
                     "....49...", "...29....", "...49....", "........."),
    "line": picture(*["....8...."] * 9),
    "pixel": picture(*["........."] * 4, "....9....", *["........."] * 4),
    "texture": picture(*["181818181", "818181818"] * 4, "181818181"),
}

CONTROLS = (
    Choice("picture", "Input picture", (("seven", "Digit 7"), ("line", "Vertical line"), ("pixel", "One pixel"),
                                        ("texture", "Fine texture"), ("random", "Random numbers")), "seven"),
    Choice("kind", "Pooling", (("max", "Maximum"), ("average", "Average")), "max"),
    Slider("window", "Window", 2, 4, 1, 2),
    Slider("stride", "Stride", 1, 4, 1, 2),
    Slider("right", "Move the picture right", 0, ROOM, 1, 0),
    Slider("down", "Move the picture down", 0, ROOM, 1, 0),
    Counter("seed"),
)


def draw(picture, seed):
    """Give the picture as it stands before it is moved.

    Parameters
    ----------
    picture : str
        A key of ``PICTURES``, or ``"random"``.
    seed : int
        Of the random numbers.

    Returns
    -------
    ndarray of float64, shape (12, 12)
    """
    if picture in PICTURES:
        return PICTURES[picture]
    numbers = np.random.default_rng(seed).integers(1, 10, (SIZE - ROOM, SIZE - ROOM)) / 10
    return np.pad(numbers, (0, ROOM))


def pool(image, kind, window, stride):
    """Pool one image, and send a gradient of 1 back from every output.

    Parameters
    ----------
    image : ndarray of float64, shape (H, W)
    kind : {"max", "average"}
    window, stride : int

    Returns
    -------
    output : ndarray of float64, shape (H', W')
    gradient : ndarray of float64, shape (H, W)
    """
    layer = {"max": MaxPool2d, "average": AvgPool2d}[kind](window, stride)
    output = layer(image[None, None])                      # (1, 1, H', W')
    gradient = layer.backward(np.ones_like(output))        # (1, 1, H, W)
    return output[0, 0], gradient[0, 0]


def distance(after, before):
    r"""Compare two arrays: :math:`\lVert a - b \rVert / \lVert b \rVert`.

    Parameters
    ----------
    after, before : ndarray of the same shape

    Returns
    -------
    float
        0 where nothing has changed; 1.41 where what was there moved to places that were empty.
    """
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def compute(picture, kind, window, stride, right, down, seed):
    """Pool a picture before and after it moves.

    Parameters
    ----------
    picture, kind : str
        Keys of the menus.
    window, stride : int
    right, down : int
        By how many pixels the picture is moved.
    seed : int
        Of the random picture.

    Returns
    -------
    dict
        ``image`` (12, 12), moved; ``output`` and ``before`` (H', W'), pooled with and without the move;
        ``gradient`` (12, 12), of the sum of the outputs; ``changed`` (bool, (H', W')), where the move made a
        difference; ``size``, H'; ``input_distance`` and ``output_distance``, how far the move led, as `distance`
        says; ``learning``, the number of pixels with a gradient; ``left_over``, the rows and columns that no
        window reaches.
    """
    still = draw(picture, seed)
    image = np.roll(still, (down, right), axis=(0, 1))     # only paper goes round
    output, gradient = pool(image, kind, window, stride)
    before, _ = pool(still, kind, window, stride)
    size = len(output)
    return {
        "image": image,
        "output": output,
        "before": before,
        "gradient": gradient,
        "changed": ~np.isclose(output, before),
        "size": size,
        "input_distance": distance(image, still),
        "output_distance": distance(output, before),
        "learning": int(np.count_nonzero(gradient)),
        "left_over": SIZE - window - (size - 1) * stride,
    }

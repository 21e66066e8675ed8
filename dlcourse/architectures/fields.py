"""Receptive fields, followed through whatever a network computes.

Each tensor that depends on the image carries two records, one for rows and one for columns: which
pixels its number at place i depends on. They are first + stride * i to last + stride * i. Every function
of PyTorch that the network calls passes through `FieldTracker`, which works out the records of the
results. So branches, skip connections and functions called in a ``forward`` are followed as well as layers.
"""

from dataclasses import dataclass, field, replace

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

__all__ = ["FieldTracker", "Span", "tensors_in"]


@dataclass(frozen=True)
class Span:
    """Which pixels along one direction the numbers of a tensor depend on.

    Attributes
    ----------
    first, last : int
        Pixels that bound what the number at place 0 sees. Negative ones lie in the margin.
    stride : int
        By how many pixels they move from one place to the next; 0 where all numbers see the same.
    count : int
        Number of places.
    axis : int or None
        Axis of the tensor along which the place changes, counted from the end (-1 is the last). None where
        there is one place, or where places stand in no order along one axis, as after a flatten.
    places : Tensor of int, or None
        For each number its place, where they stand in no order.
    """

    first: int
    last: int
    stride: int
    count: int
    axis: int | None
    places: torch.Tensor | None = field(default=None, compare=False)

    @property
    def size(self):
        """Number of pixels that one number depends on."""
        return self.last - self.first + 1

    def whole(self):
        """Give the span of a number that depends on all places."""
        return Span(self.first, self.last + self.stride * (self.count - 1), 0, 1, None)


def words(text):
    """Read names that are separated by spaces."""
    return frozenset(text.split())


# Functions by what they do to places, without underscores at the ends of their names: x.add_(y), x + y and
# torch.add(x, y) are the same.
POINTWISE = words("""
    abs add addcdiv addcmul alpha_dropout batch_norm celu clamp clip clone contiguous copy cos detach div double
    dropout dropout1d dropout2d elu erf exp feature_dropout float gelu half hardsigmoid hardswish hardtanh iadd imul
    isub itruediv leaky_relu local_response_norm log log1p logsigmoid masked_fill maximum minimum mish mul multiply
    neg pow prelu radd reciprocal relu relu6 requires_grad rmul rpow rrelu rsqrt rsub rtruediv selu sigmoid sign silu
    sin softplus softsign sqrt square sub subtract tanh threshold to true_divide truediv type type_as where
""")
MOVING = words("""
    chunk expand flatten flip get getitem movedim narrow permute reshape select split squeeze swapaxes t tensor_split
    transpose unbind unflatten unsqueeze view
""")
REDUCING = words("amax amin log_softmax logsumexp max mean min prod softmax softmin std sum var")
MIXING = words("group_norm instance_norm")
CONSTANT = words("empty_like full_like new_empty new_full new_ones new_tensor new_zeros ones_like zeros_like")


class FieldTracker(TorchFunctionMode):
    """Follow receptive fields through a computation.

    Parameters
    ----------
    image : Tensor of shape (1, C, H, W)
        Where the computation starts.
    place : callable
        Returns the name of the layer at work, for messages.
    """

    def __init__(self, image, place):
        super().__init__()
        self.place = place
        self.known = WeakTensorKeyDictionary()
        self.known[image] = [Span(0, 0, 1, image.shape[axis], axis) for axis in (-2, -1)]

    def spans(self, tensor):
        """Give the two records of a tensor, or None if it does not depend on the image."""
        return self.known.get(tensor)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        before = [spans for tensor in tensors_in((args, kwargs)) if (spans := self.spans(tensor))]
        result = func(*args, **kwargs)
        name = func.__name__.strip("_")
        if name == "setitem" and any(map(self.spans, tensors_in(args[2]))):
            self.refuse("assignment to a part of a tensor")
        if not before or name in CONSTANT:
            return result
        for i, tensor in enumerate(tensors_in(result)):
            found = self.rule(name)(func, i, args, kwargs, tensor, before)
            self.known[tensor] = [
                span if span.axis is None else replace(span, count=tensor.shape[span.axis]) for span in found
            ]
        return result

    def rule(self, name):
        """Choose the rule of a function."""
        for names, rule in ((POINTWISE, self.pointwise), (MOVING, self.move), (REDUCING, self.reduce),
                            (MIXING, self.mix)):
            if name in names:
                return rule
        special = getattr(self, f"after_{name}", None)
        if special is None:
            self.refuse(f"{name}()")
        return lambda func, i, args, kwargs, out, before: special(out, *args, **kwargs)

    def refuse(self, what):
        """Say what cannot be followed, and where."""
        raise NotImplementedError(
            f"layer_table: cannot follow the receptive field through {what} in layer {self.place()!r}; "
            "fields=False leaves receptive fields out")

    # What depends on several things depends on all that they depend on.

    def pointwise(self, func, i, args, kwargs, out, before):
        """Each number depends on those in its own place."""
        return self.join(before)

    def join(self, before):
        """Join the records of several tensors, place by place: the smallest span that holds all of them."""
        joined = []
        for spans in zip(*before, strict=True):
            moving = [span for span in spans if span.stride and span.count > 1]
            if any(span.stride != moving[0].stride for span in moving):
                strides = sorted({span.stride for span in moving})
                self.refuse(f"a sum of maps with strides {' and '.join(map(str, strides))}")
            if any(span.axis != moving[0].axis or different(span.places, moving[0].places) for span in moving):
                self.refuse("a sum of maps whose rows and columns lie differently")
            if len(moving) < len(spans):                   # some depend on a fixed part, and so the sum on all
                spans = [span.whole() for span in spans]
            first, last = min(span.first for span in spans), max(span.last for span in spans)
            joined.append(replace(spans[0], first=first, last=last))
        return joined

    def after_cat(self, out, tensors, dim=0):
        """Channels side by side."""
        before = [spans for tensor in tensors if (spans := self.spans(tensor))]
        axis = dim - out.ndim if dim >= 0 else dim
        if any(span.axis == axis for spans in before for span in spans):
            self.refuse("maps joined along rows or columns")
        return self.join(before)

    after_concat = after_concatenate = after_cat

    # Windows.

    def window(self, x, kernel_size, stride, padding, dilation):
        """Each number depends on the places under a kernel."""
        settings = zip(self.spans(x), (-2, -1), *map(pair, (kernel_size, stride, padding, dilation)), strict=True)
        return [self.slide(*one) for one in settings]

    def slide(self, span, axis, kernel_size, stride, padding, dilation):
        """Slide a kernel along one direction: the recurrences of `dlcourse.receptive_field`."""
        if span.stride == 0:
            return span
        if span.axis != axis:
            self.refuse("a window over rows and columns that have been mixed up before")
        reach = dilation * (kernel_size - 1)
        return replace(span, first=span.first - padding * span.stride,
                       last=span.last + (reach - padding) * span.stride, stride=span.stride * stride)

    def after_conv2d(self, out, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        """Convolution."""
        kernel_size = weight.shape[2:]
        if padding == "valid":
            padding = 0
        if padding == "same":  # of an odd margin, PyTorch puts the larger half after the image
            padding = [gap * (size - 1) // 2 for gap, size in zip(pair(dilation), kernel_size, strict=True)]
        return self.window(input, kernel_size, stride, padding, dilation)

    def after_max_pool2d(self, out, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                         return_indices=False):
        """Maximum pooling."""
        return self.window(input, kernel_size, stride or kernel_size, padding, dilation)

    def after_avg_pool2d(self, out, input, kernel_size, stride=None, padding=0, *settings, **more):
        """Average pooling."""
        return self.window(input, kernel_size, stride or kernel_size, padding, 1)

    def after_adaptive_avg_pool2d(self, out, input, output_size, *settings, **more):
        """Pooling to a given size, which must divide that of the maps."""
        spans = self.spans(input)
        found = []
        for span, axis in zip(spans, (-2, -1), strict=True):
            size, wanted = input.shape[axis], out.shape[axis]
            if wanted == 1:
                found.append(span.whole())
            elif size % wanted:
                self.refuse(f"adaptive pooling from {size} to {wanted} places, whose windows differ in size")
            else:
                found.append(self.slide(span, axis, size // wanted, size // wanted, 0, 1))
        return found

    after_adaptive_max_pool2d = after_adaptive_avg_pool2d

    def after_pad(self, out, input, pad, mode="constant", value=None):
        """A margin, or with negative numbers a cut."""
        if mode == "circular":
            self.refuse("a margin from the opposite side")
        found = []
        for span in self.spans(input):
            before = 0 if span.axis is None or -2 * span.axis > len(pad) else pad[2 * (-span.axis - 1)]
            shift = before * span.stride
            found.append(replace(span, first=span.first - shift, last=span.last - shift))
        return found

    # Sums over axes: what is summed over places depends on all of them.

    def reduce(self, func, i, args, kwargs, out, before):
        """Sum over some axes, or over all."""
        x = args[0] if args else kwargs["input"]
        dims = kwargs.get("dim", args[1] if len(args) > 1 else None)
        if torch.is_tensor(dims):                          # torch.max(x, y) is pointwise
            return self.join(before)
        if isinstance(dims, int):
            dims = [dims]
        axes = range(-x.ndim, 0) if dims is None else [dim - x.ndim if dim >= 0 else dim for dim in dims]
        return self.contract(x, axes, lost=axes if out.ndim < x.ndim else ())

    def contract(self, x, axes, lost=()):
        """Let each number depend on all places along some axes; the lost ones are no more."""
        found = []
        for span in self.spans(x):
            if span.places is not None:
                varying = {axis - x.ndim for axis in range(x.ndim) if varies(span.places, axis)}
                if not varying <= set(axes):
                    self.refuse("a sum over some of the places of reshaped maps")
            if span.axis is None or span.axis in axes:
                found.append(span.whole())
            else:
                found.append(replace(span, axis=span.axis + sum(axis > span.axis for axis in lost)))
        return found

    def mix(self, func, i, args, kwargs, out, before):
        """Everything depends on everything."""
        return [span.whole() for span in self.join(before)]

    def after_layer_norm(self, out, input, normalized_shape, *settings, **more):
        """Statistics over the last axes."""
        return self.contract(input, range(-len(normalized_shape), 0))

    def after_linear(self, out, input, weight, bias=None):
        """A sum over the last axis."""
        return self.contract(input, [-1])

    def after_matmul(self, out, input, other):
        """Sums over the last axis of the one and the last but one of the other."""
        sides = [(input, -1), (other, -2 if other.ndim > 1 else -1)]
        return self.join([self.contract(x, [axis]) for x, axis in sides if self.spans(x)])

    after_mm = after_bmm = after_matmul

    # Reshapes, transpositions and cuts.

    def move(self, func, i, args, kwargs, out, before):
        """Ask the function itself where each number comes from: let it move the numbers of their places."""
        x, *others = args if args else (kwargs.pop("input"),)
        if any(map(torch.is_tensor, tensors_in((others, kwargs)))):
            self.refuse(f"{func.__name__.strip('_')} by a tensor of indices")
        found = []
        for span in self.spans(x):
            if span.axis is None and span.places is None:
                found.append(span)
                continue
            places = line(span.count, span.axis, x.ndim) if span.places is None else span.places
            found.append(moved(span, tensors_in(func(places.expand(x.shape), *others, **kwargs))[i]))
        return found


def moved(span, places):
    """Find out how places stand after a move.

    Parameters
    ----------
    span : Span
        Before it.
    places : Tensor of int
        For each number, where it was.

    Returns
    -------
    Span
        With no axis where places no longer stand in order along one.
    """
    low, high = int(places.min()), int(places.max())
    first, last = span.first + low * span.stride, span.last + low * span.stride
    if low == high:
        return Span(first, last, 0, 1, None)
    for axis in range(-places.ndim, 0):
        size = places.shape[axis]
        step, rest = divmod(high - low, size - 1) if size > 1 else (0, 0)
        if step and not rest and torch.equal(places, (low + step * line(size, axis, places.ndim)).expand_as(places)):
            return Span(first, last, step * span.stride, size, axis)
    return Span(first, last, span.stride, high - low + 1, None, places - low)


def line(size, axis, ndim):
    """Number the places along one axis, 0 to size - 1, in a tensor of `ndim` axes."""
    shape = [1] * ndim
    shape[axis] = size
    return torch.arange(size, device="cpu").reshape(shape)


def varies(places, axis):
    """Tell whether places differ along an axis."""
    return bool((places != places.narrow(axis, 0, 1)).any())


def different(places, others):
    """Tell whether two tensors' places stand differently; None is for those in order."""
    if places is None or others is None:
        return places is not others
    return not torch.equal(places, others)


def pair(value):
    """Read one number for both directions, or one for each."""
    value = tuple(value) if isinstance(value, tuple | list) else (value,)
    return value * 2 if len(value) == 1 else value


def tensors_in(value):
    """List the tensors in nested tuples, lists and dictionaries.

    Parameters
    ----------
    value : object

    Returns
    -------
    list of Tensor
    """
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, tuple | list):
        return []
    return [tensor for one in value for tensor in tensors_in(one)]

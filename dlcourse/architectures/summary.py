"""A table of the layers of any network: shapes, parameters, multiply-adds and receptive fields."""

import contextlib
import html
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..validation import check_integer, describe
from .fields import FieldTracker, tensors_in

__all__ = ["Layer", "LayerTable", "layer_table"]


@dataclass
class Layer:
    """One row of a table of layers.

    Attributes
    ----------
    name : str
        Where it is in the model, such as ``"conv1"`` or ``"conv2_x.0.branch.3"``.
    kind : str
        Name of its class.
    output_shape : tuple of int, or None
        Without the batch. None for a layer that was not used.
    parameters : int
        Those that no earlier row has counted.
    multiply_adds : int
        For one image.
    receptive_field : tuple of two int, or None
        Height and width of the part of the image, with its margin, that one number of the output depends on.
        None where the input is not an image.
    stride : tuple of two int, or None
        By how many pixels the receptive field moves from one number to the next; 0 where it does not.
    """

    name: str
    kind: str
    output_shape: tuple | None
    parameters: int
    multiply_adds: int
    receptive_field: tuple | None
    stride: tuple | None

    def cells(self):
        """Write the row as texts.

        Returns
        -------
        list of str
        """
        shape = "not used" if self.output_shape is None else " × ".join(map(str, self.output_shape))
        return [self.name, self.kind, shape, f"{self.parameters:,}", f"{self.multiply_adds:,}",
                one_or_two(self.receptive_field), one_or_two(self.stride)]


def one_or_two(numbers):
    """Write a pair, as one number where both are the same; a dash for nothing and for zero."""
    if numbers is None or not any(numbers):
        return "–"
    return str(numbers[0]) if numbers[0] == numbers[1] else " × ".join(map(str, numbers))


class LayerTable(list):
    """Layers in the order in which they finish; a list that shows itself as a table.

    For a numbered table in a chapter: ``show_table(table.header, table.rows(), caption=..., name=...)``.
    """

    header = ("layer", "kind", "output", "parameters", "multiply-adds", "receptive field", "stride")

    @property
    def parameters(self):
        """Number of parameters of the model."""
        return sum(layer.parameters for layer in self)

    @property
    def multiply_adds(self):
        """Number of multiplications, each with an addition, that one image takes."""
        return sum(layer.multiply_adds for layer in self)

    def layer(self, name):
        """Find a layer; the last where one is used several times.

        Parameters
        ----------
        name : str

        Returns
        -------
        Layer

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        for layer in reversed(self):
            if layer.name == name:
                return layer
        raise KeyError(f"name: expected one of {', '.join(layer.name for layer in self)}, got {name!r}")

    def rows(self):
        """Write all rows as texts, and the totals.

        Returns
        -------
        list of list of str
        """
        total = ["total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", "", ""]
        return [*(layer.cells() for layer in self), total]

    def __str__(self):
        lines = [list(self.header), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join(cell.ljust(width) if i < 3 else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
            for line in lines
        ]
        return "\n".join(aligned)

    __repr__ = __str__

    def _repr_html_(self):
        def line(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line(row, "td") for row in self.rows())
        return f"<table><thead>{line(self.header, 'th')}</thead><tbody>{body}</tbody></table>"


def layer_table(model, input_shape, *, depth=None, fields=True):
    """Tell shapes, parameters, multiply-adds and receptive fields of a model's layers.

    The model computes one output, of an image of zeros, in evaluation mode and where it lies; nothing of it
    changes. A model on ``device="meta"`` has no numbers, and takes no time.

    Parameters
    ----------
    model : torch.nn.Module
    input_shape : tuple of int
        Of one input, without the batch: (C, H, W) for images.
    depth : int, optional
        How many levels of modules to open; by default all. At 1 each child of the model is a row.
    fields : bool
        Whether to follow receptive fields. They exist for images only.

    Returns
    -------
    LayerTable

    Raises
    ------
    TypeError, ValueError
        If the model is no module, or the shape no shape.
    NotImplementedError
        If a receptive field cannot be followed; ``fields=False`` does without.

    Notes
    -----
    Counted are the multiplications, each with an addition, of convolutions and matrix products, as He et al.
    (CVPR 2016, table 1, "FLOPs") do; not biases, norms, activations and pooling.

    Where paths meet, the receptive field is the smallest rectangle that holds those of all paths. It may exceed
    the image: it counts pixels of the margin, and those beyond. A fully connected layer after maps depends on all of
    their places, like a convolution of their size. In a network with squeeze and excite all numbers depend on the
    whole image, from the first block on.

    It is followed through convolution, pooling, padding, norms, activations, sums and products of maps,
    joined channels, linear layers, reductions, transpositions, reshapes and cuts. It is not through transposed
    convolution and interpolation, whose places do not lie on whole pixels; windows over, and sums of, reshaped or
    turned rows and columns; indices in tensors; assignment to parts of tensors; ``torch.einsum``, attention
    and recurrent layers; and what is not seen from Python: scripted modules, NumPy.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model: expected a torch.nn.Module, got {describe(model)}")
    if not isinstance(input_shape, tuple | list) or not input_shape:
        raise TypeError(f"input_shape: expected a tuple of sizes such as (3, 224, 224), got {describe(input_shape)}")
    shape = [check_integer(size, f"input_shape[{i}]", low=1) for i, size in enumerate(input_shape)]
    if depth is not None:
        check_integer(depth, "depth", low=1)

    some = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    x = torch.zeros(1, *shape, dtype=some.dtype, device=some.device)
    recorder = _Recorder(model, depth)
    recorder.run(x, follow=fields and len(shape) == 3)
    return recorder.table


class _Recorder:
    """Runs a model once, and writes down what each of its modules does."""

    def __init__(self, model, depth):
        self.model, self.depth = model, depth
        self.names = {module: name for name, module in model.named_modules()}
        self.calls = []          # what is being computed now, from the model itself to the innermost module
        self.counted, self.used, self.table = set(), set(), LayerTable()

    def run(self, x, follow):
        """Compute one output."""
        modes = [(module, module.training) for module in self.model.modules()]
        hooks = [hook for module in self.names for hook in (
            module.register_forward_pre_hook(self.before), module.register_forward_hook(self.after))]
        self.tracker = FieldTracker(x, self.place) if follow else contextlib.nullcontext()
        self.follow, self.counter = follow, FlopCounterMode(display=False)
        try:
            self.model.eval()
            with torch.no_grad(), self.counter, self.tracker:
                self.model(x)
        finally:
            for hook in hooks:
                hook.remove()
            for module, training in modes:
                module.training = training
        self.add_unused()

    def place(self):
        """Name the innermost module at work."""
        return self.calls[-1]["name"] if self.calls else ""

    def is_row(self, module):
        """Whether a module is not to be opened."""
        name = self.names[module]
        level = name.count(".") + 1 if name else 0
        return level == self.depth or not any(True for _ in module.children())

    def before(self, module, inputs):
        """Note where the counts stand as a module begins."""
        inside = bool(self.calls) and (self.calls[-1]["inside"] or self.calls[-1]["row"])
        self.calls.append({"name": self.names[module], "row": self.is_row(module) and not inside, "inside": inside,
                           "start": self.counter.get_total_flops(), "below": 0})
        self.used.add(module)

    def after(self, module, inputs, output):
        """Write a module's row, if it is to have one."""
        call = self.calls.pop()
        flops = self.counter.get_total_flops() - call["start"]
        if self.calls:
            self.calls[-1]["below"] += flops
        own = flops - call["below"]
        if call["inside"]:
            return
        if call["row"]:
            self.add(module, output, flops, self.new_parameters(module))
        elif own or any(id(p) not in self.counted for p in module.parameters(recurse=False)):
            # A module with others in it that computes something for itself, perhaps with their weights.
            self.add(module, output, own, self.new_parameters(module, recurse=own > 0))

    def new_parameters(self, module, recurse=True):
        """Count a module's parameters that no row has counted."""
        new = {id(p): p.numel() for p in module.parameters(recurse) if id(p) not in self.counted}
        self.counted.update(new)
        return sum(new.values())

    def add(self, module, output, flops, parameters):
        """Add a row."""
        name, outputs = self.names[module], tensors_in(output)
        shape = tuple(outputs[0].shape[1:]) if outputs else ()
        field = stride = None
        if self.follow and outputs:
            spans = self.tracker.spans(outputs[0])
            if spans is None:
                raise NotImplementedError(
                    f"layer_table: cannot follow the receptive field through layer {name!r}, whose output does not "
                    "come from its input by functions of PyTorch; fields=False leaves receptive fields out")
            field = tuple(span.size for span in spans)
            stride = tuple(span.stride if span.count > 1 else 0 for span in spans)
        self.table.append(Layer(name, type(module).__name__, shape, parameters, flops // 2, field, stride))

    def add_unused(self):
        """Add rows for parameters that took no part."""
        for module, name in self.names.items():
            if module not in self.used and self.is_row(module) and (count := self.new_parameters(module)):
                self.table.append(Layer(name, type(module).__name__, None, count, 0, None, None))

"""The networks of ImageNet at full size against what their papers publish, and the table of layers."""

import functools
import math

import pytest
import torch
from torch import nn

from dlcourse import blocks_torch, lenet_torch
from dlcourse.architectures import VGG16, AlexNet, GoogLeNet, ResNet, SEResNet, ZFNet, layer_table
from dlcourse.receptive_field_torch import effective_field, extent


def resnet(depth, **settings):
    return lambda **kind: ResNet(depth, **settings, **kind)


def without_classifiers(**kind):
    return GoogLeNet(auxiliary=False, **kind)


# Parameters, and where the number is from.
PUBLISHED = {
    # Krizhevsky et al. 2012, abstract and section 1: 60 million. The sum of figure 2 with biases: 34,944 + 307,456 +
    # 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312 + 4,097,000.
    "AlexNet": (AlexNet, 227, 60_965_224),
    # Zeiler and Fergus 2014, figure 3, print sizes only: 14,208 + 614,656 + 885,120 + 1,327,488 + 884,992, and
    # AlexNet's fully connected layers.
    "ZFNet": (ZFNet, 224, 62_357_608),
    # Simonyan and Zisserman 2015, table 2, column D: 138 million.
    "VGG-16": (VGG16, 224, 138_357_544),
    # Szegedy et al. 2015, table 1: the rows add up to 6,798K with K = 1024, that is 6.96 million, without biases.
    "GoogLeNet without classifiers": (without_classifiers, 224, 6_998_552),
    # Of the same paper, section 5: 1x1x128, 2048 to 1024, 1024 to 1000, twice, from 512 and from 528 maps.
    "GoogLeNet": (GoogLeNet, 224, 6_998_552 + 3_188_840 + 3_190_888),
    # He et al. 2016, table 1. The paper prints no numbers of parameters; these are those of its models with
    # projections, as in torchvision's table of weights.
    "ResNet-18": (resnet(18), 224, 11_689_512),
    "ResNet-34": (resnet(34), 224, 21_797_672),
    "ResNet-50": (resnet(50), 224, 25_557_032),
    "ResNet-101": (resnet(101), 224, 44_549_160),
    "ResNet-152": (resnet(152), 224, 60_192_808),
    # Hu et al. 2018: 28.1 million in the table of reduction ratios, at 16; 25.6 million for ResNet-50.
    "SE-ResNet-50": (SEResNet, 224, 28_088_024),
}
NETWORKS = pytest.mark.parametrize("name", PUBLISHED)


@NETWORKS
def test_parameters_are_those_published(name):
    make, _, published = PUBLISHED[name]
    assert sum(parameter.numel() for parameter in make(device="meta").parameters()) == published
    assert table_of(name).parameters == published


@NETWORKS
def test_one_image_gives_a_thousand_scores(name):
    make, size, _ = PUBLISHED[name]
    network = make(rng=torch.Generator().manual_seed(0)).eval()
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        scores = network(image)
    assert scores.shape == (1, 1000)
    assert scores.isfinite().all()
    assert scores.std() > 0  # the image has reached the last layer


@functools.cache
def table_of(name, depth=None):
    """Make the table of a network without numbers, once."""
    make, size, _ = PUBLISHED[name]
    return layer_table(make(device="meta"), (3, size, size), depth=depth)


# --- multiply-adds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "published", "ours"), [
    (18, 1.8, 1.814), (34, 3.6, 3.664), (50, 3.8, 3.858), (101, 7.6, 7.570), (152, 11.3, 11.282),
])
def test_multiply_adds_of_residual_networks(depth, published, ours):
    """He et al. 2016, table 1. Theirs at 18 and 34 layers are without projections; 3.8 is 3.86, rounded down.

    Hu et al. 2018, table 2, have 3.86 for ResNet-50.
    """
    billions = table_of(f"ResNet-{depth}").multiply_adds / 1e9
    assert billions == pytest.approx(ours, abs=5e-4)
    if depth < 50:
        billions -= 3 * 64 * 128 * 28 * 28 / 1e9  # three projections, of the same cost
    assert published - 0.05 <= billions < published + 0.1


def test_the_stride_in_the_3x3_costs_six_percent():
    published = table_of("ResNet-50")
    later = layer_table(ResNet(50, stride_at="3x3", device="meta"), (3, 224, 224))
    assert published.parameters == later.parameters
    # The first 1x1 of three stages, on maps of twice the height and width: (256 x 128, 512 x 256, 1024 x 512) weights.
    more = 3 * 256 * 128 * (56**2 - 28**2)
    assert later.multiply_adds - published.multiply_adds == more
    assert later.multiply_adds == pytest.approx(4.09e9, rel=1e-3)
    assert later.layer("conv5_x.2.relu").receptive_field == (427, 427)


def test_multiply_adds_of_the_others():
    # By hand, output pixels times weights, convolutions first: 105.4 + 223.9 + 149.5 + 112.1 + 74.8 + 58.6 million.
    assert table_of("AlexNet").multiply_adds / 1e9 == pytest.approx(0.724407, abs=1e-6)
    # He et al. 2016, section 4.1: 15.3 for VGG-16, which is what its convolutions take.
    convolutions = sum(layer.multiply_adds for layer in table_of("VGG-16") if layer.kind == "Conv2d")
    assert convolutions / 1e9 == pytest.approx(15.3, abs=0.05)
    # Hu et al. 2018, table 2: 3.87, with the pooling and scaling that are not counted here.
    assert table_of("SE-ResNet-50").multiply_adds / 1e9 == pytest.approx(3.87, abs=0.01)


def test_googlenet_row_by_row():
    """Szegedy et al. 2015, table 1: operations in millions, and parameters in units of 1024.

    The rows of the first convolution and of 5a contradict the sizes beside them.
    """
    table = table_of("GoogLeNet without classifiers", depth=2)
    rows = {"stem.conv2_reduce": "2", "stem.conv2": "2"}
    found = {}
    for layer in table:
        row = rows.get(layer.name) or layer.name.split(".")[0].removeprefix("inception")
        found[row] = found.get(row, 0) + layer.multiply_adds / 1e6
    published = {"2": 360, "3a": 128, "3b": 304, "4a": 73, "4b": 88, "4c": 100, "4d": 119, "4e": 170, "5b": 71, "fc": 1}
    for row, millions in published.items():
        assert abs(found[row] - millions) < 0.7, row
    assert found["stem"] == pytest.approx(118.0, abs=0.1)  # the paper: 34
    assert found["5a"] == pytest.approx(51.1, abs=0.1)     # the paper: 54
    assert sum(published.values()) + 34 + 54 == 1502       # and in the text 1.5 billion

    network = without_classifiers(device="meta")
    weights = {name: sum(p.numel() for p in child.parameters() if p.ndim > 1) / 1024
               for name, child in network.named_children()}
    assert weights["fc"] == 1000
    assert (network.stem.conv2.weight.numel() + network.stem.conv2_reduce.weight.numel()) / 1024 == 112
    theirs = {"3a": 159, "3b": 380, "4a": 364, "4b": 437, "4c": 463, "4d": 580, "4e": 840, "5a": 1072, "5b": 1388}
    ours = {"3a": 159.5, "3b": 379.0, "4a": 366.75, "4b": 438.0, "4c": 497.5, "4d": 590.5, "4e": 847.0, "5a": 1018.0,
            "5b": 1409.0}
    for row, expected in ours.items():
        assert weights[f"inception{row}"] == expected
        assert expected == pytest.approx(theirs[row], rel=0.08)


# --- shapes and receptive fields ---------------------------------------------------------------------------------


def test_alexnet_has_the_units_of_figure_2():
    """But for the first layer, where the figure has 253,440 = 55 x 48 x 96."""
    table = table_of("AlexNet")
    units = [math.prod(table.layer(name).output_shape) for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6")]
    assert units == [290_400, 186_624, 64_896, 64_896, 43_264, 4_096]


def test_zfnet_has_the_maps_of_figure_3():
    table = table_of("ZFNet")
    sizes = {name: table.layer(name).output_shape for name in ("conv1", "pool1", "conv2", "pool2", "conv5", "pool5")}
    assert sizes == {"conv1": (96, 110, 110), "pool1": (96, 55, 55), "conv2": (256, 26, 26), "pool2": (256, 13, 13),
                     "conv5": (256, 13, 13), "pool5": (256, 6, 6)}


def test_googlenet_has_the_maps_of_table_1():
    table = table_of("GoogLeNet without classifiers", depth=1)
    maps = {layer.name: layer.output_shape for layer in table}
    assert maps["stem"] == (192, 28, 28)
    assert [maps[f"inception{name}"][0] for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")] == [
        256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert maps["inception5b"][1:] == (7, 7)


@pytest.mark.parametrize(("name", "layer", "pixels", "stride"), [
    ("AlexNet", "pool5", 195, 32),       # 11 + 8 + 32 + 16 + 3 * 32 + 32
    ("ZFNet", "pool5", 171, 32),         # 7 + 4 + 16 + 16 + 3 * 32 + 32
    ("VGG-16", "conv5_3", 196, 16),       # 1 + 2*2*1 + 1 + 2*2*2 + 2 + 3*2*4 + 4 + 3*2*8 + 8 + 3*2*16
    ("VGG-16", "pool5", 212, 32),         # and 16
    ("VGG-16", "fc6", 404, 0),            # and 6 * 32: seven places in a row, 32 pixels apart
    ("GoogLeNet", "stem", 27, 8),        # 7 + 4 + 8 + 8
    ("GoogLeNet", "inception5b", 715, 32),  # and per module the kernel of five: 2*4*8, 8*2, 5*4*16, 16*2, 2*4*32
    ("ResNet-18", "conv5_x", 435, 32),  # 11 + 4*8 + (8 + 3*16) + (16 + 3*32) + (32 + 3*64)
    ("ResNet-50", "conv5_x", 483, 32),  # 11 + 3*8 + 4*16 + 6*32 + 3*64: only the 3x3 see neighbours
    ("ResNet-101", "conv5_x", 1027, 32),   # and 17 * 32
    ("ResNet-152", "conv5_x", 1507, 32),   # 11 + 3*8 + 8*16 + 36*32 + 3*64
])
def test_receptive_fields_by_hand(name, layer, pixels, stride):
    """Sums of (kernel size - 1) times the stride before it. Araujo et al. 2019 have the same for VGG-16 and ResNets."""
    row = table_of(name, depth=1).layer(layer)
    assert row.receptive_field == (pixels, pixels)
    assert row.stride == (stride, stride)


def test_squeeze_and_excite_sees_the_whole_image_at_once():
    table = table_of("SE-ResNet-50")
    assert table.layer("conv2_x.0.branch.6").receptive_field == (19, 19)
    assert table.layer("conv2_x.0.relu").receptive_field == (19 + 55 * 4,) * 2  # 56 places, 4 apart
    assert table.layer("conv2_x.0.relu").stride == (0, 0)


# --- settings and initial weights --------------------------------------------------------------------------------


def test_plain_networks_have_no_shortcuts():
    plain, residual = (ResNet(34, skip=skip, device="meta") for skip in (False, True))
    projections = sum(2**i * 64 * 2**(i + 1) * 64 + 2 * 2**(i + 1) * 64 for i in range(3))  # and their norms
    count = [sum(parameter.numel() for parameter in network.parameters()) for network in (plain, residual)]
    assert count[1] - count[0] == projections


def test_googlenet_in_training_has_three_outputs():
    image = torch.zeros(2, 3, 224, 224, device="meta")
    assert [scores.shape for scores in GoogLeNet(10, device="meta")(image)] == [(2, 10)] * 3
    assert without_classifiers(device="meta")(image).shape == (2, 1000)
    assert GoogLeNet(10, device="meta").eval()(image).shape == (2, 10)


def test_settings_reach_the_layers():
    for make in (AlexNet, ZFNet, VGG16, GoogLeNet, resnet(18), SEResNet):
        network = make(num_classes=7, dtype=torch.float64, device="meta")
        assert {parameter.dtype for parameter in network.parameters()} == {torch.float64}
        assert (network.fc if hasattr(network, "fc") else network.fc8).out_features == 7
    assert SEResNet(reduction=4, device="meta").conv2_x[0].branch[8].excite[1].out_features == 64


def test_initial_weights_of_the_papers():
    """A sample standard deviation of more than 10,000 numbers is within 5% but for one draw in 10^11."""
    rng = torch.Generator().manual_seed(0)
    network = AlexNet(10, rng=rng)
    assert network.conv3.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert network.fc8.weight.std().item() == pytest.approx(0.01, rel=0.05)
    biases = {name: parameter.unique().tolist() for name, parameter in network.named_parameters() if "bias" in name}
    ones = {"conv2.bias", "conv4.bias", "conv5.bias", "fc6.bias", "fc7.bias"}  # section 5
    assert biases == {name: [1.0] if name in ones else [0.0] for name in biases}

    network = ResNet(18, rng=rng)
    assert network.conv5_x[1].branch[3].weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.05)
    assert network.fc.bias.abs().max() == 0
    again = ResNet(18, rng=torch.Generator().manual_seed(3)), ResNet(18, rng=torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(*(one.parameters() for one in again), strict=True))


def test_response_normalisation_is_alexnets():
    """Section 3.3: the sum over five maps, without a mean, times 10^-4."""
    maps = torch.arange(1.0, 7.0).reshape(1, 6, 1, 1) * 100
    squares = (maps.flatten() ** 2).tolist()
    expected = [100 * (i + 1) / (2 + 1e-4 * sum(squares[max(0, i - 2):i + 3])) ** 0.75 for i in range(6)]
    found = AlexNet(2, device="meta").norm1(maps).flatten().tolist()
    assert found == pytest.approx(expected, rel=1e-5)


# --- the table, on one's own models ------------------------------------------------------------------------------


class Branches(nn.Module):
    """What users write: branches, functions in place of layers, a crop, a margin, a layer used twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.wide = nn.Conv2d(4, 4, (1, 7), padding=(0, 3))
        self.twice = nn.Conv2d(4, 4, 3, padding="same", dilation=2)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.nn.functional.leaky_relu(self.first(x))
        x = self.scale * x + self.twice(self.twice(x))
        x = torch.cat([x, torch.tanh(self.wide(x))], dim=1)
        x = torch.nn.functional.avg_pool2d(x, 2)
        self.maps = torch.nn.functional.pad(x[:, :, 1::2, 1:], (1, 0, 0, 0))
        return self.head(self.maps.mean(dim=(2, 3)))


def test_a_model_with_branches_by_hand():
    model = Branches()
    table = layer_table(model, (2, 20, 24))
    assert [layer.name for layer in table] == ["first", "twice", "twice", "wide", "head", ""]
    first, twice, again, wide, head, own = table
    assert (first.output_shape, first.parameters, first.multiply_adds) == ((4, 20, 24), 76, 72 * 480)
    assert first.receptive_field == (3, 3)
    assert (twice.parameters, again.parameters) == (4 * 4 * 9 + 4, 0)  # counted once, computed twice
    assert (twice.multiply_adds, again.multiply_adds) == (144 * 480, 144 * 480)
    assert (twice.receptive_field, again.receptive_field) == ((7, 7), (11, 11))
    assert wide.receptive_field == (11, 17)                            # the longest path
    # After pooling 12 x 18 pixels, 2 apart. One row of two is kept, 5 of 10, 4 apart; of the columns one goes and
    # one comes, which leaves 12. The mean sees 12 + 4 * 4 rows and 18 + 2 * 11 columns.
    assert head.receptive_field == (28, 40)
    assert head.stride == (0, 0)
    assert (own.kind, own.parameters, own.multiply_adds) == ("Branches", 4, 0)
    assert table.parameters == sum(p.numel() for p in model.parameters())
    assert table.multiply_adds == (72 + 2 * 144 + 4 * 4 * 7) * 480 + 24


class Middle(nn.Module):
    """The maps of the model with branches, before the mean."""

    def __init__(self):
        super().__init__()
        self.inner = Branches()

    def forward(self, x):
        self.inner(x)
        return self.inner.maps


class Folded(nn.Module):
    """Channels last, groups of channels exchanged, rows divided and joined again."""

    def __init__(self):
        super().__init__()
        self.conv, self.mix = nn.Conv2d(2, 4, 3, stride=2), nn.Linear(4, 4)

    def forward(self, x):
        x = self.conv(x)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = self.mix(x.permute(0, 2, 3, 1)).movedim(-1, 1)
        left, right = x.chunk(2, dim=1)
        return (left.sigmoid() * right - x.flatten(2).unflatten(2, (h, w)).sum(1, keepdim=True)).contiguous()


class Cut(nn.Module):
    """A path that sees more to the left, and one that sees more to the right."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 5)

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return torch.maximum(left[..., :-4, 4:], right[..., 2:, 2:]) + left[..., 2:-2, :-4]


@pytest.mark.parametrize("make", [
    Middle, Folded, Cut, lambda: blocks_torch.Inception(2, 2, 2, 2, 2, 2, 2),
    lambda: nn.Sequential(blocks_torch.BasicBlock(2, 4, 2), blocks_torch.Bottleneck(4, 2, 2)),
    lambda: nn.Sequential(nn.Conv2d(2, 3, 2, stride=3), nn.AdaptiveAvgPool2d(4), nn.PReLU()),
    lambda: nn.Sequential(nn.ReflectionPad2d((1, 0, 2, 1)), nn.Conv2d(2, 2, 4), nn.MaxPool2d(2, ceil_mode=True)),
], ids=["branches", "reshapes", "cuts", "inception", "residual", "adaptive", "margins"])
def test_receptive_fields_are_what_gradients_measure(make):
    torch.manual_seed(0)
    model = make().eval()
    image = torch.randn(100, 2, 36, 36)
    with torch.no_grad():
        units = [size // 2 for size in model(image).shape[2:]]
    measured = extent(effective_field(model, image, units))
    row = layer_table(nn.Sequential(model), (2, 36, 36), depth=1)[0]
    assert row.receptive_field == tuple(last - first + 1 for first, last in measured)
    beyond = extent(effective_field(model, image, [unit + 1 for unit in units]))
    assert row.stride == tuple(b[0] - a[0] for a, b in zip(measured, beyond, strict=True))


def test_what_is_used_twice_or_never():
    lenet = layer_table(lenet_torch.LeNet5(), (1, 32, 32))
    assert lenet.parameters == sum(p.numel() for p in lenet_torch.LeNet5().parameters())
    assert lenet.layer("4").multiply_adds == 16 * 6 * 25 * 100  # computed by the module, with its child's weights
    table = table_of("GoogLeNet", depth=1)
    unused = [layer for layer in table if layer.output_shape is None]
    assert [(layer.name, layer.parameters) for layer in unused] == [
        ("auxiliary4a", 3_188_840), ("auxiliary4d", 3_190_888)]
    assert unused[0].cells()[2] == "not used"


def test_depth_changes_rows_and_no_sums():
    network = ResNet(18, device="meta")
    tables = [layer_table(network, (3, 64, 64), depth=depth) for depth in (1, 2, 3, None)]
    assert len({(table.parameters, table.multiply_adds) for table in tables}) == 1
    assert [len(table) for table in tables[:2]] == [10, 14]
    assert tables[0].layer("conv2_x").kind == "Sequential"


def test_the_table_shows_itself():
    table = layer_table(nn.Sequential(nn.Conv2d(1, 2, (3, 5)), nn.Flatten(), nn.Linear(48, 1)), (1, 6, 10))
    assert str(table).splitlines() == [
        "layer  kind     output     parameters  multiply-adds  receptive field  stride",
        "0      Conv2d   2 × 4 × 6          32            720            3 × 5       1",
        "1      Flatten  48                  0              0            3 × 5       1",
        "2      Linear   1                  49             48           6 × 10       –",
        "total                              81            768",
    ]
    assert repr(table) == str(table)
    page = table._repr_html_()
    assert page.count("<tr>") == 5
    assert "<td>2 × 4 × 6</td>" in page
    assert all(len(row) == len(table.header) for row in table.rows())
    with pytest.raises(KeyError, match="expected one of 0, 1, 2, got 'conv'"):
        table.layer("conv")


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer_table(model, (1, 5, 5))
    assert [module.training for module in model] == [True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_no_image_no_receptive_field():
    table = layer_table(nn.Sequential(nn.Linear(5, 3), nn.ReLU()), (5,))
    assert [(layer.receptive_field, layer.multiply_adds) for layer in table] == [(None, 15), (None, 0)]


class Calls(nn.Module):
    """A module of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def into_a_part(x):
    y = torch.zeros(x.shape)
    y[:, :, 1:] = x[:, :, 1:]
    return y


@pytest.mark.parametrize(("function", "message"), [
    (nn.ConvTranspose2d(2, 2, 2, stride=2), r"through conv_transpose2d\(\) in layer '0.function'"),
    (nn.Upsample(scale_factor=2), r"through interpolate\(\) in layer '0.function'"),
    (lambda x: torch.fft.fft2(x).abs(), r"through fft_fft2\(\) in layer '0'"),
    (lambda x: x[:, torch.tensor([1, 0])], "getitem by a tensor of indices"),
    (lambda x: torch.cat([x, x], dim=2), "maps joined along rows or columns"),
    (lambda x: x + nn.functional.avg_pool2d(x, 3, 2, 1)[:, :, :1, :1] + x[:, :, ::2, ::2].repeat(1, 1, 2, 2), "repeat"),
    (lambda x: x[:, :, :3, :3] + x[:, :, ::2, ::2], "a sum of maps with strides 1 and 2"),
    (lambda x: nn.functional.max_pool2d(x.transpose(2, 3), 2), "rows and columns that have been mixed up"),
    (nn.AdaptiveAvgPool2d(4), "adaptive pooling from 6 to 4 places"),
    (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), "a margin from the opposite side"),
    (into_a_part, "assignment to a part of a tensor"),
    (lambda x: torch.from_numpy(x.numpy() + 1), "layer '0', whose output does not come from its input"),
    (lambda x: x + x.transpose(2, 3), "a sum of maps whose rows and columns lie differently"),
    (lambda x: x.unflatten(2, (3, 2)).sum(3), "a sum over some of the places of reshaped maps"),
])
def test_what_cannot_be_followed_is_refused(function, message):
    model = nn.Sequential(Calls(function))
    with pytest.raises(NotImplementedError, match=message) as caught:
        layer_table(model, (2, 6, 6))
    assert "fields=False leaves receptive fields out" in str(caught.value)
    table = layer_table(model, (2, 6, 6), fields=False)
    assert table[-1].output_shape is not None
    assert table[-1].receptive_field is None


def test_bad_input():
    with pytest.raises(TypeError, match=r"model: expected a torch.nn.Module, got type"):
        layer_table(AlexNet, (3, 227, 227))
    with pytest.raises(TypeError, match=r"input_shape: expected a tuple of sizes such as .*, got int 224"):
        layer_table(nn.ReLU(), 224)
    with pytest.raises(ValueError, match=r"input_shape\[1\]: expected an integer at least 1, got 0"):
        layer_table(nn.ReLU(), (3, 0, 4))
    with pytest.raises(ValueError, match="depth: expected an integer at least 1, got 0"):
        layer_table(nn.ReLU(), (3, 4, 4), depth=0)
    with pytest.raises(ValueError, match="depth: expected one of 18, 34, 50, 101, 152, got 20"):
        ResNet(20)
    with pytest.raises(ValueError, match="depth: expected one of 50, 101, 152, got 18"):
        SEResNet(18)
    with pytest.raises(ValueError, match="reduction: expected an integer from 1 to 256, got 512"):
        SEResNet(reduction=512)
    with pytest.raises(ValueError, match="stride_at: expected one of '1x1', '3x3', got '5x5'"):
        ResNet(50, stride_at="5x5")
    for make, size in ((AlexNet, 227), (ZFNet, 224), (VGG16, 224), (GoogLeNet, 224)):
        with pytest.raises(ValueError, match=rf"x: expected shape \(N, 3, {size}, {size}\), got \(1, 3, 225, 225\)"):
            make(device="meta")(torch.zeros(1, 3, 225, 225, device="meta"))
    with pytest.raises(ValueError, match=r"x: expected shape \(N, 3, H, W\), got \(1, 1, 64, 64\)"):
        ResNet(18, device="meta")(torch.zeros(1, 1, 64, 64, device="meta"))
    for make in (AlexNet, ZFNet, VGG16, GoogLeNet, resnet(18), SEResNet):
        with pytest.raises(ValueError, match="num_classes: expected an integer at least 1, got 0"):
            make(num_classes=0, device="meta")

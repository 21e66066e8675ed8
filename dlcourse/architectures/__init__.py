"""The networks that won ImageNet, at full size, and a table of the layers of any network.

They are in PyTorch only. What they consist of has a reference in NumPy: convolution, pooling, and the
residual, inception and squeeze-and-excite blocks.
"""

from .alexnet import AlexNet
from .googlenet import GoogLeNet
from .resnet import ResNet
from .senet import SEResNet
from .summary import Layer, LayerTable, layer_table
from .vgg import VGG16
from .zfnet import ZFNet

__all__ = ["VGG16", "AlexNet", "GoogLeNet", "Layer", "LayerTable", "ResNet", "SEResNet", "ZFNet", "layer_table"]

"""EfficientNet-Lite0, with nothing but torch: the architecture, and the weight file's names for its parts.

Sixteen inverted bottlenecks (MBConv): widen, look at each channel's neighbourhood, narrow again, and add what
came in. Unlike its larger kin it has no squeeze-and-excitation, and ReLU6 in place of swish. Stochastic
depth, with which it was first trained, is left out: the course's trainings are too short for it.

Sources: M. Tan and Q. Le (2019), EfficientNet, and efficientnet/lite/efficientnet_lite_builder.py of
tensorflow/tpu.
"""

from __future__ import annotations

import re

from torch import Tensor, nn
from torch.nn import functional as F

# Repeats, kernel, stride of the first, widening, channels: "r2_k5_s22_e6_i24_o40" and so on in the builder's
# words.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, WIDTH = 32, 1280

_NAMES = {
    r"^_conv_stem\.": "stem.conv.",
    r"^_bn0\.": "stem.norm.",
    r"^_conv_head\.": "top.conv.",
    r"^_bn1\.": "top.norm.",
    r"^_blocks\.(\d+)\._expand_conv\.": r"blocks.\1.expand.conv.",
    r"^_blocks\.(\d+)\._bn0\.": r"blocks.\1.expand.norm.",
    r"^_blocks\.(\d+)\._depthwise_conv\.": r"blocks.\1.depthwise.conv.",
    r"^_blocks\.(\d+)\._bn1\.": r"blocks.\1.depthwise.norm.",
    r"^_blocks\.(\d+)\._project_conv\.": r"blocks.\1.project.conv.",
    r"^_blocks\.(\d+)\._bn2\.": r"blocks.\1.project.norm.",
}


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": an odd pixel of padding goes to the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        (height, width), (kernel, _), (stride, _) = x.shape[-2:], self.kernel_size, self.stride
        down, across = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in (height, width))
        return super().forward(F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2)))


class ConvNorm(nn.Module):
    """Convolution, BatchNorm and, unless `linear`, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
        momentum: float = 0.01,
    ):
        super().__init__()
        self.conv = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=momentum)
        self.activation = nn.Identity() if linear else nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class InvertedBottleneck(nn.Module):
    """Channels `inputs` to `outputs` through `widening` times as many."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widening: int, momentum: float):
        super().__init__()
        inner = inputs * widening
        self.expand = ConvNorm(inputs, inner, momentum=momentum) if widening > 1 else nn.Identity()
        self.depthwise = ConvNorm(inner, inner, kernel, stride, groups=inner, momentum=momentum)
        self.project = ConvNorm(inner, outputs, linear=True, momentum=momentum)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.adds else out


class EfficientNetLite(nn.Module):
    """Pictures (pictures, 3, height, width) to features (pictures, 1280): the mean over the last map.

    `momentum` is how far a batch moves BatchNorm's running statistics; the published training had 0.01.
    """

    def __init__(self, momentum: float = 0.01):
        super().__init__()
        self.stem = ConvNorm(3, _STEM, 3, 2, momentum=momentum)
        blocks, channels = [], _STEM
        for repeats, kernel, first_stride, widening, outputs in STAGES:
            for place in range(repeats):
                stride = 1 if place else first_stride
                blocks.append(InvertedBottleneck(channels, outputs, kernel, stride, widening, momentum))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.top = ConvNorm(channels, WIDTH, momentum=momentum)

    def forward(self, pixel_values: Tensor) -> Tensor:
        x = self.stem(pixel_values)
        for block in self.blocks:
            x = block(x)
        return self.top(x).mean((2, 3))


create = EfficientNetLite


def split_state(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The published weights as those of an `EfficientNetLite`, and of the linear layer over ImageNet's
    classes.
    """
    backbone = {}
    for name, tensor in state.items():
        if not name.startswith("_fc."):
            backbone[_renamed(name)] = tensor
    return backbone, {"weight": state["_fc.weight"], "bias": state["_fc.bias"]}


def _renamed(name: str) -> str:
    for pattern, ours in _NAMES.items():
        if re.match(pattern, name):
            return re.sub(pattern, ours, name)
    return name  # load_state_dict names what it does not know

"""The networks: a few thousand parameters each, together the operators of ordinary convolutional networks."""

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 5


def with_lively_batch_norm(network):
    """Gives batch norm the statistics and scales that training would, so that leaving it out is noticed."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    return network


def conv_bn(inputs, outputs, kernel=3, activation=nn.ReLU, **options):
    if "padding" not in options:
        options["padding"] = kernel // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, bias=False, **options), nn.BatchNorm2d(outputs), activation()
    )


class PlainConvnet(nn.Module):
    """Convolution, batch norm, ReLU, max pool, dropout, one dense layer."""

    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(conv_bn(3, 8), nn.MaxPool2d(2))
        self.stage2 = conv_bn(8, 16)
        self.head = nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.Dropout(), nn.Flatten(), nn.Linear(256, CLASSES))

    def forward(self, x):
        return self.head(self.stage2(self.stage1(x)))


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut, which is a strided 1x1 convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(inputs, outputs, stride=stride), conv_bn(outputs, outputs, activation=nn.Identity)
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, 1, nn.Identity, stride=stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


class ResidualBatchNorm(nn.Module):
    """A residual network with batch norm and global average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8)
        self.block1 = ResidualBlock(8, 8, 1)
        self.block2 = ResidualBlock(8, 12, 2)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, CLASSES))

    def forward(self, x):
        return self.head(self.block2(self.block1(self.stem(x))))


class GroupedDilatedConv(nn.Module):
    """Grouped, depthwise, dilated, strided and unevenly padded convolutions; PReLU and LeakyReLU."""

    def __init__(self):
        super().__init__()
        self.uneven = nn.Sequential(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 8, 3, stride=2), nn.PReLU(8, init=0.2))
        self.dilated = nn.Sequential(nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8), nn.LeakyReLU(0.1))
        self.grouped = conv_bn(8, 12, (1, 5), groups=4, padding=(0, 2), stride=(1, 2))
        self.transposed_kernel = nn.Sequential(nn.Conv2d(12, 10, (3, 2), padding=(2, 1), dilation=(2, 1)), nn.PReLU())
        self.head = nn.Sequential(nn.MaxPool2d(3, 1, 1, dilation=1), nn.Flatten(2))
        self.classifier = nn.Linear(10, CLASSES)

    def forward(self, x):
        x = self.transposed_kernel(self.grouped(self.dilated(self.uneven(x))))
        return self.classifier(self.head(x).mean(dim=2))


class PoolingVariants(nn.Module):
    """Pooling with ceil mode, with and without counting the padding, dilated, adaptive, global."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.ceil_max = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.pools = nn.ModuleList([
            nn.AvgPool2d(3, 2, padding=1, count_include_pad=True),
            nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
            nn.AvgPool2d(3, 2, padding=1, count_include_pad=False, ceil_mode=True),
            nn.AvgPool2d((4, 3), (3, 2), ceil_mode=True),
            nn.MaxPool2d((2, 3), (3, 2), padding=(1, 0), dilation=(2, 1)),
            nn.MaxPool2d(4, 3, padding=1, ceil_mode=True),
            nn.AdaptiveAvgPool2d((2, 3)),
            nn.AdaptiveMaxPool2d((5, 2)),
            nn.AdaptiveAvgPool2d(1),
        ])
        self.head = nn.LazyLinear(CLASSES)
        self(torch.zeros(1, 3, 20, 24))

    def forward(self, x):
        x = self.ceil_max(self.stem(x))
        return self.head(torch.cat([torch.flatten(pool(x), 1) for pool in self.pools], dim=1))


class SqueezeExciteBlock(nn.Module):
    """A depthwise convolution whose channels are weighted by a gate that sees the whole image."""

    def __init__(self, channels, activation, gate):
        super().__init__()
        self.depthwise = conv_bn(channels, channels, activation=activation, groups=channels)
        self.squeeze = nn.Conv2d(channels, 4, 1)
        self.excite = nn.Conv2d(4, channels, 1)
        self.gate = gate()

    def forward(self, x):
        y = self.depthwise(x)
        weights = y.mean(dim=(2, 3), keepdim=True)
        return x + y * self.gate(self.excite(F.relu(self.squeeze(weights))))


class SqueezeExcite(nn.Module):
    """The blocks of MobileNetV3 (hard swish, hard sigmoid) and EfficientNet (SiLU, sigmoid); ReLU6."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 12, activation=nn.Hardswish, stride=2)
        self.block1 = SqueezeExciteBlock(12, nn.Hardswish, nn.Hardsigmoid)
        self.block2 = SqueezeExciteBlock(12, nn.SiLU, nn.Sigmoid)
        self.last = conv_bn(12, 20, 1, activation=nn.ReLU6)
        self.classifier = nn.Linear(20, CLASSES)

    def forward(self, x):
        x = self.last(self.block2(self.block1(self.stem(x))))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


class PixelAttention(nn.Module):
    """A non-local block: every pixel attends to every other; log-probabilities come out."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8, stride=2)
        self.queries, self.keys, self.values = (nn.Linear(8, 8, bias=bias) for bias in (True, False, True))
        self.mix = nn.Conv2d(8, 12, 3, padding=1)
        self.classifier = nn.Linear(12, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        batch, channels, height, width = x.shape
        pixels = x.flatten(2).transpose(1, 2)
        scores = self.queries(pixels) @ self.keys(pixels).transpose(1, 2) / channels**0.5
        attended = torch.softmax(scores, dim=-1) @ self.values(pixels)
        x = x + attended.permute(0, 2, 1).reshape(batch, channels, height, width)
        x = torch.tanh(self.mix(x)).mean(dim=(2, 3))
        return F.log_softmax(self.classifier(x), dim=1)


class TransformerBlock(nn.Module):
    """Attention with two heads and a layer of GELU units, each after a normalisation and beside a shortcut."""

    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        batch, tokens, width = x.shape
        queries, keys, values = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(queries @ keys.transpose(-2, -1) * (width // 2) ** -0.5, dim=-1)
        x = x + self.project((weights @ values).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches of 4 x 4 pixels and a class token, which alone is classified."""

    def __init__(self, width=16, patches=16):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.position = nn.Parameter(0.5 * torch.randn(1, patches + 1, width))
        self.blocks = nn.Sequential(TransformerBlock(width), TransformerBlock(width))
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, CLASSES)

    def forward(self, x):
        patches = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], dim=1) + self.position
        return self.classifier(self.norm(self.blocks(x))[:, 0])


class ChannelShuffle(nn.Module):
    """Interleaves the channels of two groups, by sizes that an export for one image writes down as numbers."""

    def forward(self, x):
        batch, channels, height, width = x.size()
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return x.view(batch, channels, height, width)


class FixedBatchReshape(nn.Module):
    """Shapes with the batch baked in: ShuffleNet's shuffle, halves split and joined, a flattening view."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 8, stride=2)
        self.left = conv_bn(4, 4)
        self.shuffled = ChannelShuffle()
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.classifier = nn.Linear(8 * 4 * 4, CLASSES)

    def forward(self, x):
        left, right = self.stem(x).chunk(2, dim=1)
        x = self.shuffled(torch.cat([self.left(left), right], dim=1))
        x = F.max_pool2d(F.relu(self.grouped(x)), 2)
        return self.classifier(x.view(x.size(0), -1))


class UpsamplingHead(nn.Module):
    """A small encoder and decoder: nearest and bilinear resizing with and without aligned corners, padding modes."""

    def __init__(self):
        super().__init__()
        self.down1 = nn.Sequential(nn.ReflectionPad2d((2, 3, 2, 3)), conv_bn(3, 6, padding=0, stride=2))
        self.down2 = nn.Sequential(nn.ReplicationPad2d(1), conv_bn(6, 8, padding=0, stride=2))
        self.bottom = conv_bn(8, 8)
        self.up1 = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(8, 6, 3, padding=1))
        self.up2 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.up3 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.shrink = nn.Upsample(size=(7, 9), mode="bilinear", align_corners=False)
        self.maps = nn.Conv2d(18, CLASSES, 1)

    def forward(self, x):
        high = self.down1(x)
        low = self.bottom(self.down2(high))
        high = torch.cat([high, F.relu(self.up1(low))], dim=1)
        wide = torch.cat([self.up2(high), self.up3(high[:, :6])], dim=1)
        maps = self.maps(F.pad(self.shrink(wide), (1, 0, 0, 2), value=0.5))
        return (maps * F.softplus(maps)).sum(dim=(2, 3))


class DenseLayer(nn.Module):
    """Batch norm before the convolution, which no exporter can fold away; its input is passed on beside its output."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], dim=1)


class DenseConcat(nn.Module):
    """A densely connected network with an average-pooling transition."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.dense1 = DenseLayer(6, 4)
        self.transition = nn.Sequential(nn.BatchNorm2d(10), nn.ReLU(), nn.Conv2d(10, 8, 1), nn.AvgPool2d(2))
        self.dense2 = DenseLayer(8, 4)
        self.norm = nn.BatchNorm2d(12)
        self.classifier = nn.Linear(12, CLASSES)

    def forward(self, x):
        x = F.relu(self.norm(self.dense2(self.transition(self.dense1(self.stem(x))))))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


class ActivationFunctions(nn.Module):
    """Every activation on three channels of its own."""

    def __init__(self):
        super().__init__()
        self.activations = nn.ModuleList([
            nn.ReLU(), nn.LeakyReLU(0.2), nn.PReLU(3), nn.Sigmoid(), nn.Tanh(), nn.ELU(0.7), nn.Hardswish(),
            nn.Hardsigmoid(), nn.SiLU(), nn.GELU(), nn.GELU(approximate="tanh"), nn.Softplus(), nn.ReLU6(),
            nn.Hardtanh(-0.5, 0.8), nn.Softmax(dim=1),
        ])
        self.stem = nn.Conv2d(3, 3 * len(self.activations), 3, stride=2, padding=1)
        self.mix = nn.Conv2d(3 * len(self.activations), 8, 1)
        self.classifier = nn.Linear(8, CLASSES)

    def forward(self, x):
        parts = torch.split(2.0 * self.stem(x), 3, dim=1)
        x = torch.cat([activation(part) for activation, part in zip(self.activations, parts)], dim=1)
        return self.classifier(self.mix(x).abs().mean(dim=(2, 3)))


class Reductions(nn.Module):
    """Sums, means, maxima and norms over axes, and arithmetic that broadcasts their results; a cosine classifier."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 10, activation=nn.Tanh, stride=2)
        self.scale = nn.Parameter(torch.rand(10, 1, 1) + 0.5)
        self.directions = nn.Parameter(torch.randn(20, CLASSES))

    def forward(self, x):
        x = self.stem(x) * self.scale
        x = (x - x.mean(dim=(2, 3), keepdim=True)) / torch.sqrt((x**2).mean(dim=(2, 3), keepdim=True) + 1e-3)
        strongest = x.amax(dim=(2, 3))
        rows = x[:, :, 1:, ::2].sum(dim=3).unsqueeze(1).norm(dim=3).squeeze(1)
        features = torch.cat([strongest, torch.exp(-rows / 10)], dim=1)
        features = features / features.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return 4.0 * features @ (self.directions / self.directions.norm(dim=0))

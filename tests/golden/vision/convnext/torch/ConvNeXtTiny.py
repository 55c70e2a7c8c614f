"""ConvNeXtTiny: `drop` is how often the last block is left out in training; earlier
ones are less often, in proportion.

Printed by dlspec 0.1.0 from specs/vision/convnext.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Each position's channels normalised.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H, W].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(in_channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x.permute(0, 2, 3, 1))  # [N, H, W, in_channels]
        return x.permute(0, 3, 1, 2)


class StochasticDepth(nn.Module):
    """A branch beside a shortcut that in training is left out for an example with
    probability `p`, and scaled up otherwise (Huang, Sun, Liu, Sedra and
    Weinberger 2016, "Deep networks with stochastic depth").

    x: float32 [N, C, H, W] -> float32 [N, C, H, W].
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(p)

    def forward(self, x: Tensor) -> Tensor:
        N = x.shape[0]
        h = torch.ones((N, 1, 1, 1), dtype=torch.float32, device=x.device)
        kept = self.dropout(h)
        return x * kept


class ConvNeXtBlock(nn.Module):
    """7x7 within each channel, then two layers across channels, scaled by learned
    factors that start almost at nothing.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H, W].
    """

    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((in_channels,), 1e-6))
        self.conv = nn.Conv2d(
            in_channels, in_channels, 7, padding=3, groups=in_channels
        )
        self.norm = nn.LayerNorm(in_channels, eps=1e-6)
        self.linear1 = nn.Linear(in_channels, 4 * in_channels)
        self.linear2 = nn.Linear(4 * in_channels, in_channels)
        self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        h = self.linear1(self.norm(h.permute(0, 2, 3, 1)))  # [N, H, W, 4 * in_channels]
        y = self.linear2(F.gelu(h))  # [N, H, W, in_channels]
        h = y * self.scale
        h = h.permute(0, 3, 1, 2)  # [N, in_channels, H, W]
        return x + self.stochastic_depth(h)


class ConvNeXtTiny(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 4, stride=4)
        self.norm1 = ChannelNorm(96)
        self.conv_ne_xt_block1 = ConvNeXtBlock(96, drop=0.0)
        self.conv_ne_xt_block2 = ConvNeXtBlock(96, drop=0.0058823529411764705)
        self.conv_ne_xt_block3 = ConvNeXtBlock(96, drop=0.011764705882352941)
        self.norm2 = ChannelNorm(96)
        self.conv2 = nn.Conv2d(96, 192, 2, stride=2)
        self.conv_ne_xt_block4 = ConvNeXtBlock(192, drop=0.017647058823529415)
        self.conv_ne_xt_block5 = ConvNeXtBlock(192, drop=0.023529411764705882)
        self.conv_ne_xt_block6 = ConvNeXtBlock(192, drop=0.029411764705882353)
        self.norm3 = ChannelNorm(192)
        self.conv3 = nn.Conv2d(192, 384, 2, stride=2)
        self.conv_ne_xt_block7 = ConvNeXtBlock(384, drop=0.03529411764705883)
        self.conv_ne_xt_block8 = ConvNeXtBlock(384, drop=0.0411764705882353)
        self.conv_ne_xt_block9 = ConvNeXtBlock(384, drop=0.047058823529411764)
        self.conv_ne_xt_block10 = ConvNeXtBlock(384, drop=0.052941176470588235)
        self.conv_ne_xt_block11 = ConvNeXtBlock(384, drop=0.058823529411764705)
        self.conv_ne_xt_block12 = ConvNeXtBlock(384, drop=0.06470588235294118)
        self.conv_ne_xt_block13 = ConvNeXtBlock(384, drop=0.07058823529411766)
        self.conv_ne_xt_block14 = ConvNeXtBlock(384, drop=0.07647058823529412)
        self.conv_ne_xt_block15 = ConvNeXtBlock(384, drop=0.0823529411764706)
        self.norm4 = ChannelNorm(384)
        self.conv4 = nn.Conv2d(384, 768, 2, stride=2)
        self.conv_ne_xt_block16 = ConvNeXtBlock(768, drop=0.08823529411764706)
        self.conv_ne_xt_block17 = ConvNeXtBlock(768, drop=0.09411764705882353)
        self.conv_ne_xt_block18 = ConvNeXtBlock(768, drop=0.1)
        self.norm5 = nn.LayerNorm(768, eps=1e-6)
        self.linear = nn.Linear(768, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, 96, 56, 56]
        x = self.norm1(x)
        x = self.conv_ne_xt_block1(x)
        x = self.conv_ne_xt_block2(x)
        x = self.conv_ne_xt_block3(x)
        x = self.norm2(x)
        x = self.conv2(x)  # [N, 192, 28, 28]
        x = self.conv_ne_xt_block4(x)
        x = self.conv_ne_xt_block5(x)
        x = self.conv_ne_xt_block6(x)
        x = self.norm3(x)
        x = self.conv3(x)  # [N, 384, 14, 14]
        x = self.conv_ne_xt_block7(x)
        x = self.conv_ne_xt_block8(x)
        x = self.conv_ne_xt_block9(x)
        x = self.conv_ne_xt_block10(x)
        x = self.conv_ne_xt_block11(x)
        x = self.conv_ne_xt_block12(x)
        x = self.conv_ne_xt_block13(x)
        x = self.conv_ne_xt_block14(x)
        x = self.conv_ne_xt_block15(x)
        x = self.norm4(x)
        x = self.conv4(x)  # [N, 768, 7, 7]
        x = self.conv_ne_xt_block16(x)
        x = self.conv_ne_xt_block17(x)
        x = self.conv_ne_xt_block18(x)
        return self.linear(self.norm5(x.mean(dim=(2, 3))))

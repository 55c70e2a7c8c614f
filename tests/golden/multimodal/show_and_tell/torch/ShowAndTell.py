"""ShowAndTell: the whole: Inception-v3 up to its 2048 features, and the decoder.
37,233,344 parameters.

Printed by dlspec 0.1.0 from specs/multimodal/show_and_tell.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class ConvUnit(nn.Module):
    """A convolution, normalised. What is not padded is "valid".

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int | tuple[int, ...],
        padding2: int | tuple[int, ...],
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, stride=stride, padding=padding2, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class PoolBranch(nn.Module):
    """The branch of every module of stride 1 that averages first. Padding counts as
    zeros, as in torchvision, or does not, as in the authors' TensorFlow.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H, W].
    """

    def __init__(self, in_channels: int, channels: int, count_padding: bool) -> None:
        super().__init__()
        self.count_padding = count_padding
        self.conv_unit = ConvUnit(in_channels, channels, kernel=1, padding2=0)

    def forward(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(
            x, 3, stride=1, padding=1, count_include_pad=self.count_padding
        )
        return self.conv_unit(x)


class InceptionA(nn.Module):
    """Figure 5, on 35 x 35: one of its branches has two 3x3 in place of a 5x5.

    x: float32 [N, in_channels, H, W] -> float32 [N, pool + 224, H, W].
    """

    def __init__(self, in_channels: int, pool: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 64, kernel=1, padding2=0)
        self.conv_unit2 = ConvUnit(in_channels, 48, kernel=1, padding2=0)
        self.conv_unit3 = ConvUnit(48, 64, kernel=5, padding2=2)
        self.conv_unit4 = ConvUnit(in_channels, 64, kernel=1, padding2=0)
        self.conv_unit5 = ConvUnit(64, 96, kernel=3, padding2=1)
        self.conv_unit6 = ConvUnit(96, 96, kernel=3, padding2=1)
        self.pool_branch = PoolBranch(in_channels, pool, count_padding=True)

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv_unit1(x)  # [N, 64, H, W]
        h = self.conv_unit2(x)  # [N, 48, H, W]
        b = self.conv_unit3(h)  # [N, 64, H, W]
        h = self.conv_unit4(x)  # [N, 64, H, W]
        h = self.conv_unit5(h)  # [N, 96, H, W]
        c = self.conv_unit6(h)
        d = self.pool_branch(x)  # [N, pool, H, W]
        return torch.cat([a, b, c, d], dim=1)


class ReductionB(nn.Module):
    """From 35 x 35 to 17 x 17 (figure 10).

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels + 480, H', W'].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 384, kernel=3, padding2=0, stride=2)
        self.conv_unit2 = ConvUnit(in_channels, 64, kernel=1, padding2=0)
        self.conv_unit3 = ConvUnit(64, 96, kernel=3, padding2=1)
        self.conv_unit4 = ConvUnit(96, 96, kernel=3, padding2=0, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv_unit1(x)  # [N, 384, H', W']
        h = self.conv_unit2(x)  # [N, 64, H, W]
        h = self.conv_unit3(h)  # [N, 96, H, W]
        b = self.conv_unit4(h)  # [N, 96, H', W']
        c = F.max_pool2d(x, 3, stride=2)  # [N, in_channels, H', W']
        return torch.cat([a, b, c], dim=1)


class InceptionC(nn.Module):
    """Figure 6, on 17 x 17: 7x7 taken apart into 1x7 and 7x1, of `width` filters.

    x: float32 [N, in_channels, H, W] -> float32 [N, 768, H, W].
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 192, kernel=1, padding2=0)
        self.conv_unit2 = ConvUnit(in_channels, width, kernel=1, padding2=0)
        self.conv_unit3 = ConvUnit(width, width, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit4 = ConvUnit(width, 192, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit5 = ConvUnit(in_channels, width, kernel=1, padding2=0)
        self.conv_unit6 = ConvUnit(width, width, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit7 = ConvUnit(width, width, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit8 = ConvUnit(width, width, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit9 = ConvUnit(width, 192, kernel=(1, 7), padding2=(0, 3))
        self.pool_branch = PoolBranch(in_channels, 192, count_padding=True)

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv_unit1(x)  # [N, 192, H, W]
        h = self.conv_unit2(x)  # [N, width, H, W]
        h = self.conv_unit3(h)
        b = self.conv_unit4(h)  # [N, 192, H, W]
        h = self.conv_unit5(x)  # [N, width, H, W]
        h = self.conv_unit6(h)
        h = self.conv_unit7(h)
        h = self.conv_unit8(h)
        c = self.conv_unit9(h)  # [N, 192, H, W]
        d = self.pool_branch(x)  # [N, 192, H, W]
        return torch.cat([a, b, c, d], dim=1)


class LowerInception(nn.Module):
    """The network of the authors' code up to the 17 x 17 layers with 768 channels,
    where the auxiliary classifier is attached.

    image: float32 [N, in_channels, H, W]
    -> x: float32 [N, 768, H'''''', W''''''].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 32, kernel=3, padding2=0, stride=2)
        self.conv_unit2 = ConvUnit(32, 32, kernel=3, padding2=0)
        self.conv_unit3 = ConvUnit(32, 64, kernel=3, padding2=1)
        self.conv_unit4 = ConvUnit(64, 80, kernel=1, padding2=0)
        self.conv_unit5 = ConvUnit(80, 192, kernel=3, padding2=0)
        self.inception_a1 = InceptionA(192, 32)
        self.inception_a2 = InceptionA(256, 64)
        self.inception_a3 = InceptionA(288, 64)
        self.reduction_b = ReductionB(288)
        self.inception_c1 = InceptionC(768, 128)
        self.inception_c2 = InceptionC(768, 160)
        self.inception_c3 = InceptionC(768, 160)
        self.inception_c4 = InceptionC(768, 192)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_unit1(image)  # [N, 32, H', W']
        x = self.conv_unit2(x)  # [N, 32, H'', W'']
        x = self.conv_unit3(x)  # [N, 64, H'', W'']
        x = F.max_pool2d(x, 3, stride=2)  # [N, 64, H''', W''']
        x = self.conv_unit4(x)  # [N, 80, H''', W''']
        x = self.conv_unit5(x)  # [N, 192, H'''', W'''']
        x = F.max_pool2d(x, 3, stride=2)  # [N, 192, H''''', W''''']
        x = self.inception_a1(x)  # [N, 256, H''''', W''''']
        x = self.inception_a2(x)  # [N, 288, H''''', W''''']
        x = self.inception_a3(x)
        x = self.reduction_b(x)  # [N, 768, H'''''', W'''''']
        x = self.inception_c1(x)
        x = self.inception_c2(x)
        x = self.inception_c3(x)
        return self.inception_c4(x)


class ReductionD(nn.Module):
    """From 17 x 17 to 8 x 8.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels + 512, H', W'].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 192, kernel=1, padding2=0)
        self.conv_unit2 = ConvUnit(192, 320, kernel=3, padding2=0, stride=2)
        self.conv_unit3 = ConvUnit(in_channels, 192, kernel=1, padding2=0)
        self.conv_unit4 = ConvUnit(192, 192, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit5 = ConvUnit(192, 192, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit6 = ConvUnit(192, 192, kernel=3, padding2=0, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_unit1(x)  # [N, 192, H, W]
        a = self.conv_unit2(h)  # [N, 320, H', W']
        h = self.conv_unit3(x)  # [N, 192, H, W]
        h = self.conv_unit4(h)
        h = self.conv_unit5(h)
        b = self.conv_unit6(h)  # [N, 192, H', W']
        c = F.max_pool2d(x, 3, stride=2)  # [N, in_channels, H', W']
        return torch.cat([a, b, c], dim=1)


class InceptionE(nn.Module):
    """Figure 7, on 8 x 8: 1x3 and 3x1 side by side.

    x: float32 [N, in_channels, H, W] -> float32 [N, 2048, H, W].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(in_channels, 320, kernel=1, padding2=0)
        self.conv_unit2 = ConvUnit(in_channels, 384, kernel=1, padding2=0)
        self.conv_unit3 = ConvUnit(in_channels, 448, kernel=1, padding2=0)
        self.conv_unit4 = ConvUnit(448, 384, kernel=3, padding2=1)
        self.pool_branch = PoolBranch(in_channels, 192, count_padding=True)
        self.conv_unit5 = ConvUnit(384, 384, kernel=(1, 3), padding2=(0, 1))
        self.conv_unit6 = ConvUnit(384, 384, kernel=(3, 1), padding2=(1, 0))
        self.conv_unit7 = ConvUnit(384, 384, kernel=(1, 3), padding2=(0, 1))
        self.conv_unit8 = ConvUnit(384, 384, kernel=(3, 1), padding2=(1, 0))

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv_unit1(x)  # [N, 320, H, W]
        b = self.conv_unit2(x)  # [N, 384, H, W]
        h = self.conv_unit3(x)  # [N, 448, H, W]
        c = self.conv_unit4(h)  # [N, 384, H, W]
        d = self.pool_branch(x)  # [N, 192, H, W]
        x = self.conv_unit5(b)
        h = self.conv_unit6(b)
        y = self.conv_unit7(c)
        z = self.conv_unit8(c)
        return torch.cat([a, x, h, y, z, d], dim=1)


class UpperInception(nn.Module):
    """From there to the 8 x 8 layers with 2048 channels.

    x: float32 [N, in_channels, H, W] -> float32 [N, 2048, H', W'].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.reduction_d = ReductionD(in_channels)
        self.inception_e1 = InceptionE(in_channels + 512)
        self.inception_e2 = InceptionE(2048)

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduction_d(x)  # [N, in_channels + 512, H', W']
        x = self.inception_e1(x)  # [N, 2048, H', W']
        return self.inception_e2(x)


class Decoder(nn.Module):
    """image: float32 [N, 2048], caption: int64 [N, T]
    -> logits: float32 [N, T, words].
    """

    def __init__(
        self, words: int = 12000, width: int = 512, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.see = nn.Linear(2048, width, bias=False)
        nn.init.uniform_(self.see.weight, -0.08, 0.08)
        self.embed = nn.Embedding(words, width)
        nn.init.uniform_(self.embed.weight, -0.08, 0.08)
        self.dropout1 = nn.Dropout(dropout)
        self.lstm = one_bias(nn.LSTM(width, width, batch_first=True))
        self.dropout2 = nn.Dropout(dropout)
        self.linear = nn.Linear(width, words)
        nn.init.uniform_(self.linear.weight, -0.08, 0.08)
        nn.init.zeros_(self.linear.bias)

    def forward(self, image: Tensor, caption: Tensor) -> Tensor:
        x = self.see(image)  # [N, width]
        y = self.embed(caption)  # [N, T, width]
        x = torch.cat([x[:, None], y], dim=1)  # [N, T + 1, width]
        h = self.dropout2(self.lstm(self.dropout1(x))[0])
        x = h[:, 1:]  # [N, T, width]
        return self.linear(x)


class ShowAndTell(nn.Module):
    """image: float32 [N, 3, 299, 299], caption: int64 [N, T]
    -> logits: float32 [N, T, 12000].
    """

    def __init__(
        self, words: int = 12000, width: int = 512, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.lower_inception = LowerInception(3)
        self.upper_inception = UpperInception(768)
        self.decoder = Decoder(words=words, width=width, dropout=dropout)

    def forward(self, image: Tensor, caption: Tensor) -> Tensor:
        x = self.lower_inception(image)  # [N, 768, 17, 17]
        x = self.upper_inception(x)  # [N, 2048, 8, 8]
        features = x.mean(dim=(2, 3))  # [N, 2048]
        return self.decoder(features, caption)

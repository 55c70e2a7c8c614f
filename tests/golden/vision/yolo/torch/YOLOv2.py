"""YOLOv2: `found` are the `most` best boxes, with their scores and classes.

Printed by dlspec 0.1.0 from specs/vision/yolo.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DarknetConv(nn.Module):
    """A convolution, normalised, and a ReLU that leaks a tenth. (Darknet's eps is
    1e-6, beside the standard deviation.)

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(self, in_channels: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, padding=kernel // 2, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.1)


class Darknet19Trunk(nn.Module):
    """The convolutions of Darknet-19 but the last (table 6): 3x3, and 1x1 with half
    the channels between them. Beside the result, at 1/32 of the side, what comes
    before the last halving (1/16), which YOLOv2 leads past.

    x: float32 [N, in_channels, H, W]
    -> coarse: float32 [N, 32 * width, H'''', W''''], fine: float32 [N, 16 *
    width, H''', W'''].
    """

    def __init__(self, in_channels: int, width: int = 32) -> None:
        super().__init__()
        self.darknet_conv1 = DarknetConv(in_channels, width, kernel=3)
        self.darknet_conv2 = DarknetConv(width, 2 * width, kernel=3)
        self.darknet_conv3 = DarknetConv(2 * width, 4 * width, kernel=3)
        self.darknet_conv4 = DarknetConv(4 * width, 2 * width, kernel=1)
        self.darknet_conv5 = DarknetConv(2 * width, 4 * width, kernel=3)
        self.darknet_conv6 = DarknetConv(4 * width, 8 * width, kernel=3)
        self.darknet_conv7 = DarknetConv(8 * width, 4 * width, kernel=1)
        self.darknet_conv8 = DarknetConv(4 * width, 8 * width, kernel=3)
        self.darknet_conv9 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv10 = DarknetConv(16 * width, 8 * width, kernel=1)
        self.darknet_conv11 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv12 = DarknetConv(16 * width, 8 * width, kernel=1)
        self.darknet_conv13 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv14 = DarknetConv(16 * width, 32 * width, kernel=3)
        self.darknet_conv15 = DarknetConv(32 * width, 16 * width, kernel=1)
        self.darknet_conv16 = DarknetConv(16 * width, 32 * width, kernel=3)
        self.darknet_conv17 = DarknetConv(32 * width, 16 * width, kernel=1)
        self.darknet_conv18 = DarknetConv(16 * width, 32 * width, kernel=3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.darknet_conv1(x)  # [N, width, H, W]
        x = F.max_pool2d(x, 2)  # [N, width, H // 2, W // 2]
        x = self.darknet_conv2(x)  # [N, 2 * width, H // 2, W // 2]
        x = F.max_pool2d(x, 2)  # [N, 2 * width, H', W']
        x = self.darknet_conv3(x)  # [N, 4 * width, H', W']
        x = self.darknet_conv4(x)  # [N, 2 * width, H', W']
        x = self.darknet_conv5(x)  # [N, 4 * width, H', W']
        x = F.max_pool2d(x, 2)  # [N, 4 * width, H'', W'']
        x = self.darknet_conv6(x)  # [N, 8 * width, H'', W'']
        x = self.darknet_conv7(x)  # [N, 4 * width, H'', W'']
        x = self.darknet_conv8(x)  # [N, 8 * width, H'', W'']
        x = F.max_pool2d(x, 2)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv9(x)  # [N, 16 * width, H''', W''']
        x = self.darknet_conv10(x)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv11(x)  # [N, 16 * width, H''', W''']
        x = self.darknet_conv12(x)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv13(x)  # [N, 16 * width, H''', W''']
        x1 = F.max_pool2d(x, 2)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv14(x1)  # [N, 32 * width, H'''', W'''']
        x1 = self.darknet_conv15(x1)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv16(x1)  # [N, 32 * width, H'''', W'''']
        x1 = self.darknet_conv17(x1)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv18(x1)  # [N, 32 * width, H'''', W'''']
        return x1, x


def reorg(x: Tensor) -> Tensor:
    """Half the side, four times the channels, as Darknet's layer `reorg` does it:
    not channels of each 2x2 pixels, but those of the numbers taken for [C / 4,
    2H, 2W]; and that result, [C, H, W], is taken for [4C, H / 2, W / 2].

    x: float32 [N, C, H, W] -> float32 [N, 4 * C, H // 2, W // 2].
    """
    _, C, H, W = x.shape
    x = x.reshape(-1, C // 4, 2 * H, 2 * W).reshape(-1, C // 4, H, 2, W, 2)
    x = x.permute(0, 3, 5, 1, 2, 4).reshape(-1, 4 * (C // 4), H, W)  # [N, C', H, W]
    return x.reshape(-1, 4 * C, H // 2, W // 2)


def decode(
    raw: Tensor, anchors: int | tuple[int, ...]
) -> tuple[Tensor, Tensor, Tensor]:
    """Of each anchor in a cell, row by row: the box, in parts of the image; whether
    there is an object (before the sigmoid); and its class (before the softmax).

    raw: float32 [N, C, H, W]
    -> boxes: float32 [N, 5 * H * W, 4], object: float32 [N, 5 * H * W], kinds:
    float32 [N, 5 * H * W, D].
    """
    _, C, H, W = raw.shape
    t = raw.reshape(-1, 5, C // 5, H, W).permute(0, 1, 3, 4, 2)
    x = torch.tensor(anchors, dtype=torch.float32, device=raw.device)  # [5, 2]
    priors = x[:, None, None]  # [5, 1, 1, 2]
    x = torch.sigmoid(t[:, :, :, :, 0]) + torch.arange(W, device=raw.device)
    x = x / W
    h = torch.arange(H, device=raw.device)[:, None]  # [H, 1]
    y = (torch.sigmoid(t[:, :, :, :, 1]) + h) / H  # [N, 5, H, W]
    width = torch.exp(t[:, :, :, :, 2]) * priors[:, :, :, 0] / W  # [N, 5, H, W]
    height = torch.exp(t[:, :, :, :, 3]) * priors[:, :, :, 1] / H  # [N, 5, H, W]
    x = torch.stack([x, y, width, height], dim=4)  # [N, 5, H, W, 4]
    boxes = x.flatten(1, 3)  # [N, 5 * H * W, 4]
    object_ = t[:, :, :, :, 4].flatten(1)  # [N, 5 * H * W]
    kinds = t[:, :, :, :, 5:].flatten(1, 3)  # [N, 5 * H * W, D]
    return boxes, object_, kinds


def pick(x: Tensor, index: Tensor) -> Tensor:
    """The slices of x along axis 1 that `index` names, M of each example.

    x: float32 [N, B, D], index: int64 [N, M] -> float32 [N, M, D].
    """
    N, _, D = x.shape
    M = index.shape[1]
    h = index[:, :, None].expand(N, M, D)  # [N, M, D]
    return torch.gather(x, 1, h)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """The area that two boxes share, over the area that they cover together.

    a: float32 [N, 845, 4], b: float32 [N, 1, 4] -> float32 [N, 845].
    """
    x = a[:, :, :2] - a[:, :, 2:] / 2  # [N, 845, 2]
    low = torch.maximum(x, b[:, :, :2] - b[:, :, 2:] / 2)
    x = a[:, :, :2] + a[:, :, 2:] / 2  # [N, 845, 2]
    high = torch.minimum(x, b[:, :, :2] + b[:, :, 2:] / 2)
    side = F.relu(high - low)
    shared = side[:, :, 0] * side[:, :, 1]  # [N, 845]
    union = a[:, :, 2] * a[:, :, 3] + b[:, :, 2] * b[:, :, 3] - shared
    return shared / union.clamp(min=1e-9)


def nms(
    boxes: Tensor, scores: Tensor, most: int = 100
) -> tuple[Tensor, Tensor, Tensor]:
    """Greedy non-maximum suppression in each class, `most` times: the best score
    left is kept, and the boxes that overlap its box by more than `overlap` lose
    their score. Where no score above `least` is left, it is 0.

    boxes: float32 [N, B, 4], scores: float32 [N, B, K]
    -> kept: float32 [N, most, 4], score: float32 [N, most], kind: int64 [N,
    most].
    """
    N = boxes.shape[0]
    left = torch.where(scores > 0.001, scores, 0.0)
    kept = torch.zeros((N, most, 4), dtype=torch.float32, device=boxes.device)
    score = torch.zeros((N, most), dtype=torch.float32, device=boxes.device)
    kind = torch.zeros((N, most), dtype=torch.int64, device=boxes.device)
    K = left.shape[2]
    for _ in range(most):
        flat = left.flatten(1)  # [N, B * K]
        best = flat.argmax(dim=1, keepdim=True)  # [N, 1]
        box = pick(boxes, best // K)  # [N, 1, 4]
        kept = torch.cat([kept[:, 1:], box], dim=1)
        x = torch.gather(flat, 1, best)
        score = torch.cat([score[:, 1:], x], dim=1)
        kind = torch.cat([kind[:, 1:], best % K], dim=1)
        x = iou(boxes, box)  # [N, B]
        h = F.one_hot(best % K, K).to(torch.float32) > 0  # [N, 1, K]
        rival = (x[:, :, None] > 0.45) & h  # [N, B, K]
        left = torch.where(rival, 0.0, left)
    return kept, score, kind


class YOLOv2(nn.Module):
    """image: float32 [N, 3, 416, 416]
    -> raw: float32 [N, 425, 13, 13], found: float32 [N, most, 4], score: float32
    [N, most], kind: int64 [N, most].
    """

    def __init__(self, width: int = 32, most: int = 100) -> None:
        super().__init__()
        self.most = most
        self.darknet19_trunk = Darknet19Trunk(3, width=width)
        self.darknet_conv1 = DarknetConv(32 * width, 32 * width, kernel=3)
        self.darknet_conv2 = DarknetConv(32 * width, 32 * width, kernel=3)
        self.darknet_conv3 = DarknetConv(16 * width, 2 * width, kernel=1)
        self.darknet_conv4 = DarknetConv(40 * width, 32 * width, kernel=3)
        self.conv = nn.Conv2d(32 * width, 425, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, fine = self.darknet19_trunk(image)
        x = self.darknet_conv1(x)
        x = self.darknet_conv2(x)
        h = self.darknet_conv3(fine)  # [N, 2 * width, 26, 26]
        past = reorg(h)  # [N, 8 * width, 13, 13]
        x = torch.cat([past, x], dim=1)  # [N, 40 * width, 13, 13]
        x = self.darknet_conv4(x)  # [N, 32 * width, 13, 13]
        raw = self.conv(x)  # [N, 425, 13, 13]
        boxes, object_, kinds = decode(
            raw,
            anchors=(
                (0.57273, 0.677385),
                (1.87446, 2.06253),
                (3.33843, 5.47434),
                (7.88282, 3.52778),
                (9.77052, 9.16828),
            ),
        )
        x = torch.sigmoid(object_)
        scores = x[:, :, None] * F.softmax(kinds, dim=-1)
        found, score, kind = nms(boxes, scores, most=self.most)
        return raw, found, score, kind

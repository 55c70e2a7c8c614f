"""torchvision's models, on small images.

It is not among the tools of this project; where it is not installed, they are left out.
"""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from scripts.references.common import Reference, Sample, drawn, images

CLASSES = 10


def _build(folder: Path, model: str, size: int, **options: Any) -> Sample:
    """A model of torchvision, its `state_dict` saved as PyTorch's checkpoints are."""
    import torch
    import torchvision

    made = getattr(torchvision.models, model)(weights=None, num_classes=CLASSES, **options).eval()
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.from_numpy(drawn(name, tuple(value.shape), prod(value.shape[1:]))))
        image = images(size)
        logits = made(torch.from_numpy(image)).numpy()
    torch.save({"state_dict": made.state_dict()}, folder / "model.pth")
    return Sample(folder / "model.pth", {"image": image}, {"logits": logits})


def _torchvision(spec: str, model: str, title: str, size: int, **options: Any) -> Reference:
    settings = {f"{model}.classes": CLASSES, f"{model}.size": size}
    build = partial(_build, model=title, size=size, **options)
    return Reference(title, spec, model, "torchvision", title, "torchvision", build, settings, heavy=True)


TORCHVISION = [
    _torchvision("vision/resnet", "ResNet18", "resnet18", 64),
    _torchvision("vision/resnet", "ResNet50", "resnet50", 64),
    _torchvision("vision/alexnet", "OneColumn", "alexnet", 224),
    _torchvision("vision/vgg", "VGG16", "vgg16", 224),
    _torchvision("vision/densenet", "DenseNet121", "densenet121", 64),
    _torchvision("vision/inception_v3", "InceptionV3", "inception_v3", 96, init_weights=False),
    _torchvision("vision/mobilenet_v2", "MobileNetV2", "mobilenet_v2", 64),
    _torchvision("vision/efficientnet", "EfficientNetB0", "efficientnet_b0", 64),
    _torchvision("vision/vit", "ViT", "vit_b_16", 48, image_size=48),
    _torchvision("vision/convnext", "ConvNeXtTiny", "convnext_tiny", 64),
]

"""keras.applications, at the smallest size that they take."""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from scripts.references.common import Reference, Sample, drawn, images

CLASSES = 10


def _build(folder: Path, model: str, size: int, file: str, scale: int, **options: Any) -> Sample:
    """A model of keras.applications that gives logits, saved as a file of this name.

    scale
        of the images: a model that prepares them itself has them from 0 to 255.
    """
    import keras

    keras.utils.clear_session()
    made = getattr(keras.applications, model)(
        weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **options
    )
    for variable in made.weights:
        if not variable.path.startswith("normalization/"):
            shape = tuple(variable.shape)
            depthwise = len(shape) == 4 and shape[3] == 1
            variable.assign(drawn(variable.path, shape, prod(shape[:2] if depthwise else shape[:-1])))
    image = images(size)
    logits = keras.ops.convert_to_numpy(made(scale * np.moveaxis(image, 1, -1), training=False))
    path = folder / file
    (made.save_weights if file.endswith(".weights.h5") else made.save)(path)
    return Sample(path, {"image": image}, {"logits": logits})


def _application(
    name: str, spec: str, model: str, title: str, size: int, file: str, settings: dict[str, Any],
    scale: int = 1, heavy: bool = True, **options: Any,
) -> Reference:  # fmt: skip
    """A reference; settings are of the model's parameters, beside its size."""
    build = partial(_build, model=title, size=size, file=file, scale=scale, **options)
    sized = {"classes": CLASSES, "size": size, **settings}
    prefixed = {f"{model}.{key}": value for key, value in sized.items()}
    return Reference(name, spec, model, "keras.applications", title, "keras", build, prefixed, heavy)


KERAS = [
    _application("vgg16", "vision/vgg", "VGG16", "VGG16", 64, "vgg.weights.h5", {}),
    _application("resnet50", "vision/resnet", "ResNet50V1", "ResNet50", 64, "resnet.keras", {}),
    _application("densenet121", "vision/densenet", "DenseNet121", "DenseNet121", 64, "densenet.h5", {"eps": 1.001e-5}),
    _application(
        "mobilenet_v2", "vision/mobilenet_v2", "MobileNetV2", "MobileNetV2", 64, "mobilenet.weights.h5",
        {"same": True, "eps": 1e-3}, heavy=False,
    ),
    _application(
        "inception_v3", "vision/inception_v3", "InceptionV3", "InceptionV3", 96, "inception.keras",
        {"count_padding": False},
    ),
    _application(
        "efficientnet_b0", "vision/efficientnet", "EfficientNetB0", "EfficientNetB0", 64, "efficientnet.h5",
        {"same": True, "eps": 1e-3}, scale=255,
    ),
    _application(
        "convnext_tiny", "vision/convnext", "ConvNeXtTiny", "ConvNeXtTiny", 64, "convnext.weights.h5", {},
        include_preprocessing=False,
    ),
]  # fmt: skip

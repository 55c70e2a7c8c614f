"""keras.applications, at the smallest size that they take."""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from scripts.references.common import Reference, Sample, drawn, images


def _build(folder: Path, model: str, size: int, file: str, **options: Any) -> Sample:
    """A model of keras.applications that gives logits, saved as a file of this name."""
    import keras
    import numpy as np

    keras.utils.clear_session()
    made = getattr(keras.applications, model)(
        weights=None, input_shape=(size, size, 3), classifier_activation=None, **options
    )
    for variable in made.weights:
        fan_in = prod(variable.shape[:-1])
        if "depthwise" in variable.path and len(variable.shape) == 4:
            fan_in = prod(variable.shape[:2])
        variable.assign(drawn(variable.path, tuple(variable.shape), fan_in))
    image = images(size)
    logits = keras.ops.convert_to_numpy(made(np.moveaxis(image, 1, -1), training=False))
    path = folder / file
    (made.save_weights if file.endswith(".weights.h5") else made.save)(path)
    return Sample(path, {"image": image}, {"logits": logits})


def _application(
    name: str,
    spec: str,
    model: str,
    title: str,
    size: int,
    file: str,
    settings: dict[str, Any],
    **options: Any,
) -> Reference:
    """A reference; settings are of the model's parameters."""
    build = partial(_build, model=title, size=size, file=file, **options)
    prefixed = {f"{model}.{key}": value for key, value in settings.items()}
    return Reference(name, spec, model, "keras.applications", title, "keras", build, prefixed)


KERAS = [
    _application(
        "vgg16", "vision/vgg", "VGG16", "VGG16", 64, "vgg.weights.h5", {"classes": 10, "size": 64}, classes=10
    ),
]

"""What a trained model makes: images beside those that it was given, or a text; run as ONNX, without a framework."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.ir.graph import Program
from dlspec.ir.training import Training
from dlspec.runtime.kept import SYMBOLS, TOKENS
from dlspec.weights.store import load_weights

COUNT = 12  # images
LENGTH = 300  # symbols of a text
SMALLEST = 25  # pixels: shorter columns are no images
SEED = 0


def samples(
    folder: Path, program: Program, training: Training, rows: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What each model makes of some held-out `rows`, or of noise: `title`, and an `image` (a data URI) or a `text`."""
    found: list[dict[str, Any]] = []
    for name, key in training.models.items():
        alone = program.model_copy(update={"models": {**program.models, name: key}})
        try:
            found += _texts(folder, alone, name, rows) or _images(folder, alone, training, name, rows)
        except Exception:  # a model that ONNX cannot have or run makes no samples
            continue
    return found


def _texts(folder: Path, program: Program, name: str, rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A text that goes on from a line's end; or, from a model that writes about something, texts about some rows."""
    from dlspec.runtime.generation import Choice, generate, generate_about, writing_form
    from dlspec.runtime.symbols import read_symbols

    weights = folder / "weights.safetensors"
    if not any((folder / file).is_file() for file in (SYMBOLS, TOKENS)):
        return []
    form = writing_form(program, name)
    if not form.given:
        text = generate(program, name, weights, "onnx", "\n", LENGTH, Choice(0.8, None, SEED))
        return [{"title": f"written by {name}, temperature 0.8", "text": text}]
    given = {value.name: rows[value.name][:COUNT] for value in form.given}
    lines = generate_about(program, name, weights, "onnx", given, "", LENGTH, Choice())
    found = []
    for column, values in given.items():
        if _sides(values.shape[1:]) and np.issubdtype(values.dtype, np.floating):
            found.append({"title": f"given to {name}: {column}", "image": strip(values)})
        elif values.ndim == 2 and np.issubdtype(values.dtype, np.integer):
            asked = map(read_symbols(weights).decode, map(np.trim_zeros, values))
            lines = [f"{text} -> {line}" for text, line in zip(asked, lines, strict=True)]
    return [*found, {"title": f"written by {name}, the best symbol each time", "text": "\n".join(lines)}]


def _images(
    folder: Path, program: Program, training: Training, name: str, rows: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The outputs that are shaped like an image among the columns, of held-out examples and of normal noise."""
    from dlspec.runtime import onnx

    graph = program.model(name)
    shapes = {values.shape[1:]: column for column, values in rows.items() if _sides(values.shape[1:])}
    wanted = [
        output.name
        for output, kind in zip(graph.outputs, graph.output_types(), strict=True)
        if kind.is_float and tuple(kind.shape[1:]) in shapes
    ]
    if not wanted:
        return []
    rng = np.random.default_rng(SEED)
    inputs, noise = {}, []
    for value in graph.inputs:
        if value.name in rows:
            inputs[value.name] = rows[value.name][:COUNT]
        else:
            noise.append(value.name)
            sizes = [int(dim) for dim in value.type.shape[1:]]  # type: ignore[arg-type]
            inputs[value.name] = rng.normal(size=(COUNT, *sizes)).astype("float32")
    arrays = load_weights(folder / "weights.safetensors")
    if len(training.models) > 1:
        arrays = {k.partition(".")[2]: a for k, a in arrays.items() if k.partition(".")[0] == name}
    session = onnx.session(onnx.to_model(print_onnx(program, name, load_backend("onnx")), arrays))
    made = onnx.predict(session, inputs, [output.name for output in graph.outputs])
    given = next((i for i in inputs if i in rows and rows[i].shape[1:] in shapes), None)
    found = [] if given is None else [{"title": f"given to {name}: {given}", "image": strip(inputs[given])}]
    of = f", from normal {' and '.join(noise)}" if noise else ""
    return found + [
        {"title": f"made by {name}: {output}{of}", "image": strip(made[output])} for output in wanted
    ]


def _sides(shape: Sequence[int]) -> tuple[int, int, int] | None:
    """Channels, height and width of an image, None for what is none."""
    if len(shape) == 3 and shape[0] in (1, 3) and shape[1] * shape[2] >= SMALLEST:
        return shape[0], shape[1], shape[2]
    if len(shape) == 1 and math.isqrt(shape[0]) ** 2 == shape[0] >= SMALLEST:
        return 1, math.isqrt(shape[0]), math.isqrt(shape[0])
    return None


def strip(images: Any) -> str:
    """Images beside one another, from their darkest to their brightest value, as the URI of a PNG."""
    sides = _sides(images.shape[1:])
    assert sides is not None
    pixels = np.asarray(images, "float64").reshape(len(images), *sides).transpose(0, 2, 3, 1)
    low, high = float(pixels.min()), float(pixels.max())
    scaled = np.uint8(255 * (pixels - low) / ((high - low) or 1))
    padded = np.pad(scaled, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=255)
    return (
        "data:image/png;base64,"
        + base64.b64encode(png(np.concatenate(list(padded), axis=1)[:, :-1])).decode()
    )


def png(pixels: Any) -> bytes:
    """A PNG of u8[H, W, 1] (grey) or u8[H, W, 3]."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )

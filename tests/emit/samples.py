"""Programs with a data set and a training, built by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.data import DataSet, Source
from dlspec.ir.graph import Graph, Program
from dlspec.ir.training import OptimizerSpec, Step, Training
from dlspec.ir.types import parse_type
from dlspec.ops.optimizers import Adam

DIGITS = "f32[N, 1, 8, 8]"


def cnn() -> Graph:
    """Two convolutions and two linear layers."""
    b = Builder("Classifier", params={"classes": 10})
    x = b.input("image", DIGITS)
    x = b.MaxPool2d(2)(b.relu(b.Conv2d(32, 3, padding="same", name="conv1")(x)))
    x = b.MaxPool2d(2)(b.relu(b.Conv2d(64, 3, padding="same", name="conv2")(x)))
    x = b.relu(b.Linear(128, name="linear1")(b.flatten(x)))
    b.output("logits", b.Linear(10, name="linear2")(x))
    return b.build()


def mlp() -> Graph:
    """One hidden layer."""
    b = Builder("MLP")
    x = b.flatten(b.input("image", DIGITS))
    b.output("logits", b.Linear(10, name="linear2")(b.relu(b.Linear(64, name="linear1")(x))))
    return b.build()


def rnn() -> Graph:
    """The rows of an image as a sequence."""
    b = Builder("RowReader")
    x = b.reshape(b.input("image", DIGITS), shape=(-1, 8, 8))
    h = b.RNN(32, activation="relu", output="last", name="rnn")(x)
    b.output("logits", b.Linear(10, name="linear")(h))
    return b.build()


def digits() -> DataSet:
    """Scikit-learn's digits, a quarter of them for the test."""
    return DataSet(
        name="Digits",
        source=Source(kind="sklearn", args=("digits",)),
        columns={"image": parse_type("f32[1, 8, 8]"), "label": parse_type("i64")},
        split={"train": 0.75, "test": 0.25},
        prepare="Digits.prepare",
    )


def preparation() -> Graph:
    """Pixels from 0 to 1."""
    b = Builder("prepare")
    b.output("image", b.input("image", DIGITS) / 16)
    return b.build()


def classifier(
    model: Callable[[], Graph] = cnn, optimizer: OptimizerSpec | None = None, epochs: int = 20
) -> Program:
    """One model that learns classes, in the short form."""
    graph = model()
    return Program(
        graphs={
            graph.name: graph,
            "Digits.prepare": preparation(),
            "train": _on_digits(graph, lambda b, logits, label: {"loss": b.cross_entropy(logits, label)}),
            "evaluate": _on_digits(graph, _metrics),
        },
        models={graph.name: graph.name},
        data={"Digits": digits()},
        trainings={
            graph.name: Training(
                name=graph.name,
                data="Digits",
                models={"model": graph.name},
                steps=(
                    Step(
                        name="step", graph="train", updates=("model",), optimizer=optimizer or Adam(lr=1e-3)
                    ),
                ),
                evaluate="evaluate",
                metrics=("accuracy",),
                epochs=epochs,
            )
        },
    )


def _metrics(b: Builder, logits: Handle, label: Handle) -> dict[str, Handle]:
    return {"loss": b.cross_entropy(logits, label), "accuracy": b.accuracy(logits, label)}


def _on_digits(graph: Graph, results: Callable[..., dict[str, Any]]) -> Graph:
    b = Builder("step")
    image, label = b.input("image", DIGITS), b.input("label", "i64[N]")
    logits = b.call(graph.name, graph, [image], name="model")[0]
    b.label(logits, "logits")
    for name, value in results(b, logits, label).items():
        b.output(name, value)
    return b.build()


def gan() -> Program:
    """Two models and two steps."""
    b = Builder("Generator")
    h = b.relu(b.Linear(64, name="linear1")(b.input("z", "f32[N, 16]")))
    b.output("image", b.reshape(b.sigmoid(b.Linear(64, name="linear2")(h)), shape=(-1, 1, 8, 8)))
    generator = b.build()
    b = Builder("Discriminator")
    h = b.relu(b.Linear(64, name="linear1")(b.flatten(b.input("image", DIGITS))))
    b.output("logit", b.Linear(1, name="linear2")(h))
    discriminator = b.build()
    graphs = {"Generator": generator, "Discriminator": discriminator, "Digits.prepare": preparation()}
    graphs["GAN.discriminator"] = _discriminator_step(generator, discriminator)
    graphs["GAN.generator"] = _generator_step(generator, discriminator)
    adam = Adam(lr=2e-4, betas=(0.5, 0.999))
    training = Training(
        name="GAN",
        data="Digits",
        models={"G": "Generator", "D": "Discriminator"},
        steps=(
            Step(name="discriminator", graph="GAN.discriminator", updates=("D",), optimizer=adam),
            Step(name="generator", graph="GAN.generator", updates=("G",), optimizer=adam),
        ),
        epochs=2,
    )
    return Program(
        graphs=graphs,
        models={"Generator": "Generator", "Discriminator": "Discriminator"},
        data={"Digits": digits()},
        trainings={"GAN": training},
    )


def _fake(b: Builder, generator: Graph, image: Handle) -> Handle:
    noise = b.normal(shape=(image.type.shape[0], 16))
    return b.call("Generator", generator, [noise], name="G")[0]


def _discriminator_step(generator: Graph, discriminator: Graph) -> Graph:
    b = Builder("step")
    image = b.input("image", DIGITS)
    fake = b.stop_gradient(_fake(b, generator, image))
    real_logit = b.call("Discriminator", discriminator, [image], name="D")[0]
    fake_logit = b.call("Discriminator", discriminator, [fake], name="D")[0]
    b.output("loss", b.mean(b.softplus(-real_logit)) + b.mean(b.softplus(fake_logit)))
    return b.build()


def _generator_step(generator: Graph, discriminator: Graph) -> Graph:
    b = Builder("step")
    fake = _fake(b, generator, b.input("image", DIGITS))
    logit = b.call("Discriminator", discriminator, [fake], name="D")[0]
    b.output("loss", b.mean(b.softplus(-logit)))
    return b.build()


def zoo(optimizer: OptimizerSpec | None = None) -> Program:
    """Layers whose weights frameworks keep in other places and orders, in blocks that repeat."""
    b = Builder("Block", params={"width": 6})
    x = b.input("x", "f32[N, 6, T]")
    h = b.BatchNorm(name="type")(b.Conv1d(6, 3, padding="same", groups=6, name="depthwise")(x))
    b.output("y", x + b.relu(b.Conv1d(6, 1, bias=False, name="pointwise")(h)))
    block = b.build()
    b = Builder("Zoo")
    tokens = b.input("label", "i64[N]")
    image = b.reshape(b.input("image", DIGITS), shape=(-1, 8, 8))
    h = (
        b.Embedding(10, 8, name="embed")(b.unsqueeze(tokens, axis=1))
        + image
        + b.Parameter((8,), name="shift")()
    )
    h = b.GRU(3, bidirectional=True, name="gru")(h)
    h = b.LSTM(6, layers=2, name="lstm")(h)
    h = b.GRU(6, name="plain")(b.LayerNorm(name="norm")(h))
    h = b.call("Block", block, [b.transpose(h, axes=(0, 2, 1))], name="stack", repeat=3)[0]
    h = b.ConvTranspose1d(4, 3, stride=2, name="up")(b.GroupNorm(groups=2, name="groups")(h))
    b.output("logits", b.Linear(10, name="head")(b.mean(h, axis=2)))
    graph = b.build()
    b = Builder("step")
    image, label = b.input("image", DIGITS), b.input("label", "i64[N]")
    logits = b.call("Zoo", graph, [label, image], name="model")[0]
    b.output("loss", b.cross_entropy(logits, label))
    training = Training(
        name="Zoo", data="Digits", models={"model": "Zoo"},
        steps=(Step(name="step", graph="train", updates=("model",), optimizer=optimizer or Adam(lr=1e-3)),),
    )  # fmt: skip
    return Program(
        graphs={"Block": block, "Zoo": graph, "train": b.build(), "Digits.prepare": preparation()},
        models={"Zoo": "Zoo"},
        data={"Digits": digits()},
        trainings={"Zoo": training},
    )

"""Programs built by hand that printers are tested on."""

from __future__ import annotations

from typing import Any

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import symbol
from dlspec.ir.graph import Graph, Program
from dlspec.ir.traced import variable
from dlspec.ops import operator


def layer(
    b: Builder, name: str, kind: str, x: Handle, sources: dict[str, str] | None = None, **fields: Any
) -> Handle:
    """Apply a layer with an instance name, some of its arguments given by a block's parameter."""
    given = sources or {}
    traced = {f: variable(p, fields[f]) for f, p in given.items() if type(fields[f]) is int}
    others = {f: symbol(p) for f, p in given.items() if f not in traced}
    return b.add(operator(kind)(**{**fields, **traced}), [x], name=name, sources=others)[0]  # fmt: skip


def program(source: str, main: str, *graphs: tuple[str, Graph]) -> Program:
    return Program(source=source, graphs=dict(graphs), models={main: main})


def cnn() -> Program:
    """The survey's convolutional classifier."""
    b = Builder("Classifier", {"classes": 10})
    x = b.input("image", "f32[N, 1, 8, 8]")
    x = b.relu(b.Conv2d(32, 3, padding="same", name="conv1")(x))
    x = b.MaxPool2d(2)(x)
    x = b.relu(b.Conv2d(64, 3, padding="same", name="conv2")(x))
    x = b.MaxPool2d(2)(x)
    x = b.relu(b.Linear(128, name="linear1")(b.flatten(x)))
    b.output("logits", layer(b, "linear2", "Linear", x, {"out_features": "classes"}, out_features=10))
    graph = b.build().model_copy(
        update={"doc": "the convolutional classifier of the survey's section 4.1, on real 8x8 digits."}
    )
    return program("specs/survey/cnn.dls", "Classifier", ("Classifier", graph))


def residual(channels: int, stride: int, shape: str) -> Graph:
    b = Builder("Residual", {"channels": channels, "stride": stride})
    x = b.input("x", shape)
    from_channels = {"out_channels": "channels"}
    main = layer(b, "conv1", "Conv2d", x, {**from_channels, "stride": "stride"},
                 out_channels=channels, kernel_size=3, stride=stride, padding=1, bias=False)  # fmt: skip
    main = b.relu(layer(b, "batchnorm1", "BatchNorm", main))
    main = layer(
        b, "conv2", "Conv2d", main, from_channels, out_channels=channels, kernel_size=3, padding=1, bias=False
    )
    main = layer(b, "batchnorm2", "BatchNorm", main)
    b.label(main, "main")
    skip = x
    if stride != 1 or x.type.shape[1] != channels:
        skip = layer(b, "conv3", "Conv2d", x, {**from_channels, "stride": "stride"},
                     out_channels=channels, kernel_size=1, stride=stride, bias=False)  # fmt: skip
        skip = layer(b, "batchnorm3", "BatchNorm", skip)
        b.label(skip, "skip")
    b.output("y", b.relu(main + skip))
    return b.build().model_copy(
        update={"defaults": {"stride": 1}, "doc": "Two convolutions around which the input is led."}
    )


def resnet() -> Program:
    """A small residual network: one block in two structures, several sizes."""
    b = Builder("ResNet", {"classes": 10})
    x = b.input("image", "f32[N, 3, 32, 32]")
    x = layer(b, "conv1", "Conv2d", x, out_channels=16, kernel_size=3, padding=1, bias=False)
    x = b.relu(layer(b, "batchnorm1", "BatchNorm", x))
    b.label(x, "x")
    graphs: list[tuple[str, Graph]] = []
    count = 0
    for channels in (16, 32, 64):
        for stride in (1 if channels == 16 else 2, 1):
            graph = residual(channels, stride, str(x.type))
            known = next((key for key, other in graphs if other == graph), None)
            key = known or ("Residual" if not graphs else f"Residual#{len(graphs) + 1}")
            if known is None:
                graphs.append((key, graph))
            count += 1
            x = b.call(key, graph, [x], name=f"residual{count}")[0]
            b.label(x, "x")
    x = b.global_avg_pool(x)
    b.output("logits", layer(b, "linear", "Linear", x, {"out_features": "classes"}, out_features=10))
    return program("specs/resnet.dls", "ResNet", *graphs, ("ResNet", b.build()))


def attention(d: int, heads: int) -> Graph:
    b = Builder("Attention", {"heads": heads, "causal": True})
    x = b.input("x", f"f32[N, T, {d}]")
    qkv = layer(b, "linear1", "Linear", x, out_features=3 * d)
    parts = b.rearrange(qkv, pattern="n t (three h d) -> three n h t d", sizes={"three": 3, "h": heads})
    q, k, v = b.unstack(parts)
    for value, name in ((q, "q"), (k, "k"), (v, "v")):
        b.label(value, name)
    y = b.rearrange(b.attention(q, k, v, causal=True), pattern="n h t d -> n t (h d)")
    b.output("y", layer(b, "linear2", "Linear", y, out_features=d))
    return b.build()


def transformer(repeat: int = 4) -> Program:
    """A language model: repeated blocks, tied weights, symbolic length."""
    d = 32
    inner = attention(d, 4)
    b = Builder("TransformerLayer", {"heads": 4, "dropout": 0.1})
    x = b.input("x", f"f32[N, T, {d}]")
    h = b.call("Attention", inner, [layer(b, "layernorm1", "LayerNorm", x)], name="attention",
               sources={"heads": symbol("heads")})[0]  # fmt: skip
    x = x + layer(b, "dropout1", "Dropout", h, {"p": "dropout"}, p=0.1)
    b.label(x, "x")
    h = layer(b, "linear1", "Linear", layer(b, "layernorm2", "LayerNorm", x), out_features=4 * d)
    h = layer(b, "linear2", "Linear", b.gelu(h), out_features=d)
    b.output("y", x + layer(b, "dropout2", "Dropout", h, {"p": "dropout"}, p=0.1))
    block = b.build()
    m = Builder("LanguageModel", {"vocabulary": 100, "layers": repeat})
    words = m.input("words", "i64[N, T]")
    h = layer(
        m, "embed", "Embedding", words, {"num_embeddings": "vocabulary"}, num_embeddings=100, embedding_dim=d
    )
    position = layer(m, "position", "Embedding", m.arange(start=0, stop=words.type.shape[1]),
                     num_embeddings=64, embedding_dim=d)  # fmt: skip
    h = m.call("TransformerLayer", block, [h + position], name="layer", repeat=repeat)[0]
    h = layer(m, "layernorm", "LayerNorm", h)
    m.label(h, "h")
    m.output("logits", h @ m.transpose(m.reference("embed.weight", m.types["embed.weight"])))
    return program("specs/lm.dls", "LanguageModel", ("Attention", inner), ("TransformerLayer", block),
                   ("LanguageModel", m.build()))  # fmt: skip


ALL = {"cnn": cnn, "resnet": resnet, "transformer": transformer}

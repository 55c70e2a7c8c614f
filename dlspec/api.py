"""The Python API: a checked spec, and its models as live objects of each framework.

>>> import dlspec
>>> spec = dlspec.loads('''
... model Net { input x: f32[N, 4]   output y = x -> Linear(2) }
... ''')
>>> spec.model().summary().parameters
10
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec._collector import collector_paused
from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.program import elaborate, load_program
from dlspec.ir.graph import Graph, Program
from dlspec.summary import Summary, summarize
from dlspec.syntax.parser import parse_text
from dlspec.zoo import locate

if TYPE_CHECKING:
    from onnx import ModelProto


def load(path: str | Path, set: dict[str, Any] | None = None) -> Spec:
    """The checked spec of a file, or of `zoo:NAME`, one that comes with dlspec.

    `set` overrides `let`s and parameters: ``{"Net.classes": 5}``.
    Raises `dlspec.SpecError`, which carries every diagnostic.
    """
    return Spec(load_program(locate(path), set))


def loads(text: str, set: dict[str, Any] | None = None) -> Spec:
    """The checked spec of a text (which cannot import)."""
    with collector_paused():
        return Spec(elaborate(parse_text(text), None, set))


class Spec:
    """A checked spec: its program (the IR) and its models."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @property
    def models(self) -> list[str]:
        """The names of the models that stand alone."""
        return list(self.program.models)

    def model(self, name: str | None = None) -> Model:
        """A model by name; without one, the only model. Raises `SpecError`."""
        known = self.models
        if name is None and len(known) == 1:
            name = known[0]
        if name is None or name not in known:
            guess = closest(name or "", known)
            hint = f"did you mean `{guess}`?" if guess else f"its models are {', '.join(known) or 'none'}"
            what = f"the spec has no model `{name}`" if name else "the spec does not have exactly one model"
            raise fail("DLS0801", what, hint=hint)
        return Model(self.program, name)

    def __repr__(self) -> str:
        return f"Spec({self.program.source or '<text>'}: {', '.join(self.models)})"


class Model:
    """One model of a spec. Weights are arrays by canonical name, in PyTorch's layout.

    `weights` arguments take such a dictionary, the path of a safetensors file, or None for the initial
    weights that dlspec draws from `seed`: the same for every framework.
    """

    def __init__(self, program: Program, name: str) -> None:
        self.program, self.name = program, name

    @property
    def graph(self) -> Graph:
        """The model's graph in the IR."""
        return self.program.model(self.name)

    def summary(self) -> Summary:
        """Layers, shapes, parameters and multiply-accumulates."""
        return summarize(self.program, self.name)

    def weights(self, seed: int = 0) -> dict[str, Any]:
        """Initial weights as NumPy arrays, drawn from `seed`."""
        from dlspec.weights.draw import draw_weights

        return draw_weights(self.program, self.name, seed)

    def convert(
        self, source: Any, mapping: Any = None, seed: int = 0, fresh: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The model's weights, made of those of another library.

        source
            a file (safetensors, also in several parts; a PyTorch checkpoint; Keras weights), a folder, or
            arrays by their foreign names: ``torch_model.state_dict()``, ``{v.path: v for v in keras_model.weights}``.
        mapping
            ``"huggingface"`` for ``SPEC.huggingface.toml`` beside the spec; a path; or the table that such a file
            holds. None where names and layouts are the spec's.
        fresh
            paths of layers that keep weights drawn from `seed`, such as a head for other classes.

        Raises `SpecError` that lists every tensor that is missing, left over, or of another shape.
        """
        from dlspec.runtime.conversion import convert_weights

        return convert_weights(self.program, self.name, source, mapping, seed, fresh).arrays()

    def code(self, backend: str) -> str:
        """The printed code of ``model.py`` (``"torch"``, ``"keras"``), or the ONNX text (``"onnx"``)."""
        from dlspec.emit.manifest import load_backend

        chosen = load_backend(backend)
        if chosen.language == "onnx":
            from dlspec.emit.onnx import print_onnx

            return print_onnx(self.program, self.name, chosen).text
        from dlspec.emit.python import print_model

        return print_model(self.program, self.name, chosen)

    def torch(self, weights: Any = None, seed: int = 0) -> Any:
        """A live ``torch.nn.Module`` in evaluation mode."""
        from dlspec.runtime.live import torch_module

        return torch_module(self.program, self.name, self._arrays(weights, seed))

    def keras(self, weights: Any = None, seed: int = 0) -> Any:
        """A live, built ``keras.Model``."""
        from dlspec.runtime.live import keras_model

        return keras_model(self.program, self.name, self._arrays(weights, seed))

    def onnx(self, weights: Any = None, seed: int = 0) -> ModelProto:
        """A checked ``onnx.ModelProto``."""
        from dlspec.runtime.live import onnx_model

        return onnx_model(self.program, self.name, self._arrays(weights, seed))

    def session(self, weights: Any = None, seed: int = 0) -> Any:
        """An ``onnxruntime.InferenceSession``."""
        from dlspec.runtime.onnx import session

        return session(self.onnx(weights, seed))

    def _arrays(self, weights: Any, seed: int) -> dict[str, Any]:
        from dlspec.weights.store import load_weights, own_weights

        if weights is None:
            return self.weights(seed)
        arrays = weights if isinstance(weights, dict) else load_weights(weights)
        return dict(own_weights(self.program, self.name, arrays))

    def __repr__(self) -> str:
        inputs = ", ".join(f"{v.name}: {v.type}" for v in self.graph.inputs)
        return f"Model({self.name}: {inputs})"

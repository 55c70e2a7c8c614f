"""The stages of the compiler as functions, so that each can be measured by itself."""

from __future__ import annotations

from dlspec._collector import collector_paused
from dlspec.elaborate.program import elaborate
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.python import print_model
from dlspec.ir.graph import Program
from dlspec.syntax.parser import parse_text
from dlspec.syntax.tree import File


def parse(text: str) -> File:
    """Text to syntax tree."""
    return parse_text(text)


def check(file: File) -> Program:
    """Syntax tree to typed program: names, arguments, shapes. The collector rests, as in `load_program`."""
    with collector_paused():
        return elaborate(file, None)


def emit(program: Program, backend: str) -> str:
    """Typed program to the text of its only model: passes and printing, all but writing files."""
    (model,) = program.models
    manifest = load_backend(backend)
    if manifest.language == "onnx":
        return print_onnx(program, model, manifest).text
    return print_model(program, model, manifest)

"""What the commands share: options, loading a spec, and telling errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.ir.graph import Program

spec_argument = click.argument("spec", type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
model_option = click.option("--model", "model", help="Which model, where the spec has several.")
set_option = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a `let`, or `Model.param`."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=None, help="Seed of weights and batches."
)


@contextmanager
def telling_errors(as_json: bool = False) -> Iterator[None]:
    """Show a SpecError as diagnostics, and what the machine refuses as one; exit with 1."""
    try:
        yield
    except SpecError as error:
        found = error.diagnostics
    except BrokenPipeError:
        raise  # `dlspec ir net.dls | head`: see main
    except OSError as error:
        hint = "choose another `--out`, or make room there"
        found = [Diagnostic("DLS0807", f"`{error.filename}`: {error.strerror}", hint=hint)]
    except ModuleNotFoundError as error:
        found = [_not_installed(error)]
    except MemoryError as error:
        hint = "make the model smaller: `dlspec summary` says what it needs"
        found = [Diagnostic("DLS0808", f"there is not enough memory: {error}".rstrip(": "), hint=hint)]
    else:
        return
    show(found, as_json)
    sys.exit(1)


# What a module that is not there is part of, by the extra that brings it.
EXTRAS = {
    "torch": "torch",
    "keras": "keras",
    "h5py": "keras",
    "tensorflow": "keras",
    "onnxruntime": "onnx",
    "sklearn": "data",
    "optuna": "sweep",
    "filelock": "sweep",
    **dict.fromkeys(
        ("pyarrow", "PIL", "statsmodels", "datasets", "torchvision", "scipy", "gymnasium"), "sources"
    ),
}


def _not_installed(error: ModuleNotFoundError) -> Diagnostic:
    """The diagnostic for a framework that is not installed; any other missing module is a bug of ours."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS:
        raise error
    hint = f"install it with `pip install 'dlspec[{EXTRAS[module]}]'`"
    return Diagnostic("DLS0809", f"this needs `{module}`, which is not installed", hint=hint)


def need(*modules: str) -> None:
    """Raise ModuleNotFoundError for the first module that is not installed, without importing any."""
    from importlib.util import find_spec

    for module in modules:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def show(diagnostics: list[Diagnostic], as_json: bool = False) -> None:
    """Diagnostics on stderr; as JSON on stdout when asked for."""
    from dlspec.diagnostics.render import render_all, to_json

    if as_json:
        click.echo(json.dumps({"ok": False, "diagnostics": [to_json(d) for d in diagnostics]}, indent=2))
        return
    color = sys.stderr.isatty()
    click.echo(render_all(diagnostics, color), err=True)
    if len(diagnostics) > 1:
        click.echo(f"\n{len(diagnostics)} errors", err=True)


def load(spec: Path, settings: tuple[str, ...] = ()) -> Program:
    """The checked program of a spec file; `zoo:NAME` is one that comes with dlspec."""
    from dlspec.elaborate.program import load_program
    from dlspec.zoo import locate

    return load_program(locate(spec), parse_settings(settings))


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` pairs; wrong usage without the `=`."""
    pairs = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise click.UsageError(f"--set takes NAME=VALUE, not `{setting}`")
        pairs[name.strip()] = value.strip()
    return pairs


def choose_model(program: Program, name: str | None, among: list[str] | None = None) -> str:
    """The model asked for, or the only one."""
    from dlspec.diagnostics.suggest import closest

    known = list(program.models) if among is None else among
    listing = ", ".join(f"`{k}`" for k in known)
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        what = (
            f"the spec has several models: {listing}" if known else "the spec has no model that stands alone"
        )
        raise fail("DLS0801", what, hint="choose one with `--model`" if known else None)
    if name not in known:
        guess = closest(name, known)
        hint = f"did you mean `{guess}`?" if guess else f"its models are: {listing}"
        raise fail("DLS0801", f"the spec has no model `{name}`", hint=hint)
    return name


def prepare_folder(out: Path, force: bool) -> Path:
    """A folder that may be written to: new or empty, unless overwriting is asked for."""
    if out.exists() and not out.is_dir():
        raise fail("DLS0802", f"`{out}` is a file, not a folder", hint="choose another `--out`")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise fail(
            "DLS0802", f"the folder `{out}` is not empty", hint="choose another `--out`, or give `--force`"
        )
    out.mkdir(parents=True, exist_ok=True)
    return out


def echo_json(value: Any) -> None:
    """A JSON answer on stdout."""
    click.echo(json.dumps(value, indent=2))


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose SpecErrors are told as its `as_json` says."""
    from functools import wraps

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with telling_errors(bool(kwargs.get("as_json"))):
            return function(*args, **kwargs)

    return run

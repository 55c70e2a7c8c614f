"""Where the data folders (`grammar`, `backends`, `specs`) are, installed or in a checkout."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def data_path(name: str) -> Traversable:
    """The folder called `name`: inside the wheel `dlspec/_data/name`, in a checkout the package's sibling."""
    package = files("dlspec")
    shipped = package / "_data" / name
    return shipped if shipped.is_dir() else Path(str(package)).parent / name

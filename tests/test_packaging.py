"""What is in the wheel and the sdist, and that everything installed is pinned."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).resolve().parent.parent
DATA = ("backends", "grammar", "specs")
FRAMEWORKS = ("torch", "keras", "tensorflow", "tensorflow-cpu", "onnxruntime", "scikit-learn")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    from hatchling.builders.wheel import WheelBuilder

    (path,) = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the sdist, without the folder that holds them all."""
    from hatchling.builders.sdist import SdistBuilder

    (path,) = SdistBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("sdist")), versions=["standard"]
    )
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def files_in(folder: str) -> set[str]:
    """The files under a folder of the checkout, but for the caches that tools leave behind."""
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {p.as_posix() for p in paths if not any(part.startswith((".", "__pycache__")) for part in p.parts)}


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_only_dlspec_lands_in_site_packages(wheel: zipfile.ZipFile):
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"dlspec"}


def test_the_wheel_carries_the_package_and_its_data(wheel: zipfile.ZipFile):
    expected = files_in("dlspec") | {f"dlspec/_data/{path}" for folder in DATA for path in files_in(folder)}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected
    assert "dlspec/py.typed" in expected


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile):
    assert "dlspec = dlspec.cli:main" in metadata(wheel, "entry_points.txt")


def test_the_base_install_has_no_framework(wheel: zipfile.ZipFile):
    requirements = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", metadata(wheel, "METADATA"), re.MULTILINE)
    base = {name for name, rest in requirements if "extra ==" not in rest}
    assert "lark" in base
    assert base.isdisjoint(FRAMEWORKS)


def test_the_sdist_is_enough_to_build_and_test(sdist: set[str]):
    folders = (*DATA, "dlspec", "tests", "scripts", "benchmarks")
    needed = {path for folder in folders for path in files_in(folder)}
    needed |= {"pyproject.toml", "constraints.txt", "Makefile", "README.md", "LICENSE"}
    assert needed <= sdist


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(r for rows in project["optional-dependencies"].values() for r in rows),
    ]
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in wanted}
    assert names - {"dlspec"} <= {name.lower() for name in pinned}

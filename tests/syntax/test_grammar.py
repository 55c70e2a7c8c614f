"""The grammar itself, and the parser kept of it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lark
import pytest

from dlspec._data import data_path
from dlspec.syntax import grammar
from dlspec.syntax.build import Builder
from dlspec.syntax.parser import parse_text

TEXT = (data_path("grammar") / "dlspec.lark").read_text(encoding="utf-8")


def test_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    """Lark settles a conflict by itself and says so in its log only."""
    lark.logger.propagate, level = True, lark.logger.level
    lark.logger.setLevel(logging.DEBUG)
    try:
        lark.Lark(TEXT, parser="lalr", lexer="contextual", keep_all_tokens=True, debug=True)
    finally:
        lark.logger.setLevel(level)
    assert [record.message for record in caplog.records if "onflict" in record.message] == []


def test_every_rule_has_its_method() -> None:
    parser, _ = grammar.parser()
    for rule in parser.rules:
        name = rule.alias or rule.origin.name
        helper = name.startswith("_") or (
            rule.options.expand1 and not rule.alias and len(rule.expansion) == 1
        )
        assert helper or hasattr(Builder, name), name


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own, and a parser that is not made yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar.parser.cache_clear()
    yield tmp_path / "dlspec"
    grammar.parser.cache_clear()


def test_parser_is_kept(cold: Path) -> None:
    grammar.parser()
    (file,) = cold.iterdir()
    written = file.stat().st_mtime_ns
    assert cold.stat().st_mode & 0o777 == 0o700
    grammar.parser.cache_clear()
    assert parse_text("let a = 1").items
    assert [f.stat().st_mtime_ns for f in cold.iterdir()] == [written]


def test_damaged_cache_is_made_anew(cold: Path) -> None:
    grammar.parser()
    (file,) = cold.iterdir()
    file.write_bytes(b"nonsense")
    grammar.parser.cache_clear()
    assert grammar.parser()[0].terminals
    assert len(file.read_bytes()) > 1000


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_cache_that_others_can_write_is_not_used(cold: Path, mode: int) -> None:
    cold.mkdir()
    cold.chmod(mode)
    assert grammar.parser()[0].terminals
    assert list(cold.iterdir()) == []


def test_cache_that_is_a_link_or_a_file_is_not_used(cold: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    cold.symlink_to(tmp_path / "elsewhere")
    assert grammar.parser()[0].terminals
    assert list((tmp_path / "elsewhere").iterdir()) == []
    cold.unlink()
    cold.write_text("")
    grammar.parser.cache_clear()
    assert grammar.parser()[0].terminals


def test_lark_is_imported_at_the_first_parse_only() -> None:
    program = "import sys, dlspec.syntax.parser; sys.exit('lark' in sys.modules)"
    root = Path(grammar.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0

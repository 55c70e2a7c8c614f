"""Formatting printed Python as `ruff format` does with its defaults, so that printed files need no formatter.

`tidy` sets blank lines and breaks what is longer than 88 columns. It knows the statements that dlspec prints:
each logical line of the input stands on one line, and strings do not span lines except docstrings.
"""

from __future__ import annotations

import re

from dlspec.emit.brackets import clauses, elements, matching, operators, split_comment

WIDTH = 88
_OPENS_BLOCK = re.compile(r"\s*(class |def |async def |@)")
_ASSIGNMENT = re.compile(r"([\w.\[\], ()*:|]+? [-+*/@|&]?= |return |yield |assert |raise |del )")


def tidy(text: str) -> str:
    """`text` as `ruff format` leaves it."""
    lines: list[str] = []
    in_docstring = False
    for line in text.split("\n"):
        line = line.rstrip()
        if in_docstring or len(line) <= WIDTH or '"""' in line:
            lines.append(line)
        else:
            lines.extend(wrap(line))
        if line.count('"""') % 2:
            in_docstring = not in_docstring
    return "\n".join(blank_lines(lines)) + "\n"


def wrap(line: str, width: int = WIDTH) -> list[str]:
    """One logical line as the lines that it is broken into."""
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    code, comment = split_comment(line.strip())
    if comment:
        return [indent + comment, *(wrap(indent + code, width) if code else [])]
    if code.startswith("from ") and " import " in code and not code.endswith(")"):
        head, names = code.split(" import ", 1)
        return [f"{indent}{head} import (", *_explode(names, indent, width, force=True), f"{indent})"]
    if re.match(r"(async )?def |class ", code):
        opening = code.index("(")
        return _bracketed(code, opening, indent, width)
    match = _ASSIGNMENT.match(code)
    start = match.end() if match else 0
    return _expression(code[:start], code[start:], "", indent, width)


def _expression(head: str, code: str, tail: str, indent: str, width: int) -> list[str]:
    """``head code tail`` broken where the expression `code` allows."""
    if len(indent) + len(head) + len(code) + len(tail) <= width:
        return [f"{indent}{head}{code}{tail}"]
    signs = operators(code)
    if not signs:
        opening = matching(code)
        if opening is None:
            return [f"{indent}{head}{code}{tail}"]
        return _bracketed(f"{head}{code}{tail}", len(head) + opening, indent, width)
    inner = indent + "    "
    if len(signs) == 1 and len(inner) + len(code) > width:
        lines = _around(head, code, signs[0], tail, indent, width)
        if lines:
            return lines
    return [f"{indent}{head}(", *_operands("", code, "", inner, width), f"{indent}){tail}"]


def _around(head: str, code: str, sign: tuple[int, str], tail: str, indent: str, width: int) -> list[str]:
    """One operator between calls, broken inside their brackets instead of around them; [] if it cannot be."""
    position, text = sign
    left, right = code[:position].strip(), code[position + len(text) :].strip()
    opening = matching(right)
    if opening is not None and len(indent) + len(f"{head}{left} {text} {right[: opening + 1]}") <= width:
        before = f"{head}{left} {text} "
        return _bracketed(f"{before}{right}{tail}", len(before) + opening, indent, width)
    first = matching(left)
    if first is None:
        return []
    *lines, last = _bracketed(head + left, len(head) + first, indent, width)
    return [*lines, *_expression(f"{last.strip()} {text} ", right, tail, indent, width)]


def _operands(head: str, code: str, tail: str, indent: str, width: int) -> list[str]:
    """An expression inside brackets: on one line, or broken before its loosest operators."""
    signs = operators(code)
    if not signs or len(indent) + len(head) + len(code) + len(tail) <= width:
        return _expression(head, code, tail, indent, width)
    lines: list[str] = []
    start = 0
    for position, sign in [*signs, (len(code), "")]:
        operand = code[start:position].strip()
        lines.extend(_operands(head, operand, "" if sign else tail, indent, width))
        start, head = position + len(sign), f"{sign} "
    return lines


def _bracketed(code: str, opening: int, indent: str, width: int) -> list[str]:
    """Code with a bracket that is broken open: its content on one line, or one element on each."""
    closing = matching(code, opening)
    assert closing is not None
    head, body, tail = code[: opening + 1], code[opening + 1 : closing], code[closing:]
    if not body:
        return [indent + code]
    # Arguments may share a line; the elements of a literal never do.
    force = not re.search(r"[\w)\]]$", code[:opening]) and len(elements(body)) > 1
    return [indent + head, *_explode(body, indent, width, force=force), indent + tail]


def _explode(body: str, indent: str, width: int, *, force: bool = False) -> list[str]:
    inner = indent + "    "
    if not force and len(inner) + len(body) <= width and not body.endswith(","):
        return [inner + body]
    if parts := clauses(body) if len(elements(body)) == 1 else []:
        return [line for part in parts for line in _operands("", part, "", inner, width)]
    lines: list[str] = []
    items = elements(body)
    comma = "," if len(items) > 1 or force else ""
    for item in items:
        keyword = re.match(r"\w+=(?!=)|\w+: |\"[^\"]*\": |\*{1,2}(?=\w)", item)
        start = keyword.end() if keyword else 0
        lines.extend(_operands(item[:start], item[start:], comma, inner, width))
    return lines


def blank_lines(lines: list[str]) -> list[str]:
    """Blank lines as the formatter sets them."""
    out: list[str] = []
    blanks, in_docstring, after_docstring = 0, False, False
    for line in lines:
        if not line and not in_docstring:
            blanks += 1
            continue
        if not in_docstring:
            out.extend([""] * _blanks_before(line, out, blanks, after_docstring))
        after_docstring = False
        if line.count('"""') == 1:
            in_docstring = not in_docstring
            after_docstring = not in_docstring
        elif line.lstrip().startswith('"""') and line.count('"""') == 2:
            after_docstring = True
        out.append(line)
        blanks = 0
    return out


def _blanks_before(line: str, out: list[str], blanks: int, after_docstring: bool) -> int:
    if not out:
        return 0
    last = out[-1]
    depth, before = len(line) - len(line.lstrip()), len(last) - len(last.lstrip())
    opens = bool(_OPENS_BLOCK.match(line))
    if last.lstrip().startswith("@"):
        return 0
    if re.match(r"\s*(class|def|async def) .*:$", last) or (last.endswith(":") and depth > before):
        return 0
    if depth == 0:
        if len(out) == 1 and after_docstring:
            return 1
        if line[0] in ")]}":
            return 0
        after_block = before > 0 and last.strip()[:1] not in (")", "]", "}")
        if opens and not last.startswith("#"):
            return 2
        if after_docstring:
            return max(1, min(blanks, 2))
        return 2 if after_block and _in_block(out) else min(blanks, 2)
    if after_docstring and before == 4 and depth == 4 and _in_class_head(out):
        return 1
    if opens and not last.lstrip().startswith("#"):
        return 1
    return min(blanks, 1)


def _in_block(out: list[str]) -> bool:
    """Whether the last top-level line opened a block (and not a bracket)."""
    for line in reversed(out):
        if line and not line[0].isspace():
            return line.endswith(":")
    return False


def _in_class_head(out: list[str]) -> bool:
    for line in reversed(out[:-1]):
        if line and not line[0].isspace():
            return line.startswith("class ")
    return False

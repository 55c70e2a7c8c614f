"""Syntax errors of brackets."""

from __future__ import annotations

from dlspec.diagnostics import Diagnostic, Note
from dlspec.syntax.scan import DECLARATIONS, PAIRS, Open
from dlspec.syntax.trouble import CLOSERS, Trouble


def missing_closer(trouble: Trouble) -> Diagnostic | None:
    """A bracket that is still open where something begins that cannot be inside it."""
    around, found = trouble.around, trouble.found
    if not around.open:
        return None
    innermost = around.open[-1]
    closer = PAIRS[innermost.bracket.text]
    if found is None:
        return _unclosed(trouble, around.unclosed or innermost, "the file ends here")
    if found.text in DECLARATIONS and found.first and around.column(found) <= around.open[0].column:
        return _unclosed(trouble, around.unclosed or innermost, f"the next `{found.text}` starts here")
    outer = [PAIRS[bracket.bracket.text] for bracket in around.open[:-1]]
    if found.text in CLOSERS and found.text != closer and found.text in outer:
        return _unclosed(trouble, innermost, f"this `{found.text}` closes what is around it")
    if found.text == "{" and closer != "}" and "LBRACE" not in trouble.accepted:
        return _unclosed(trouble, innermost, "it should be closed before this")
    if closer != "}" and found.first and found.kind == "name" and CLOSERS[closer] in trouble.accepted:
        return _unclosed(trouble, innermost, "this looks like the next statement")
    return None


def _unclosed(trouble: Trouble, bracket: Open, there: str) -> Diagnostic:
    opened = bracket.bracket
    line = trouble.around.source.position(opened.start)[0]
    what = bracket.opener.text
    message = f"expected a `{PAIRS[opened.text]}` to close the `{what}` opened on line {line}"
    notes = [Note(trouble.span, there)]
    return Diagnostic("DLS0104", message, trouble.around.at(opened), "opened here", notes)


def stray_closer(trouble: Trouble) -> Diagnostic | None:
    """A closing bracket that closes nothing."""
    found, around = trouble.found, trouble.around
    if not found or found.text not in CLOSERS:
        return None
    if around.open and PAIRS[around.open[-1].bracket.text] == found.text:
        return None
    opener = next(left for left, right in PAIRS.items() if right == found.text)
    message = f"there is no `{opener}` for this `{found.text}` to close"
    diagnostic = Diagnostic("DLS0105", message, trouble.span, "closes nothing")
    if around.open:
        bracket = around.open[-1].bracket
        diagnostic.notes.append(Note(around.at(bracket), f"this is closed by `{PAIRS[bracket.text]}`"))
    elif around.suspect:
        diagnostic.notes.append(
            Note(around.at(around.suspect.bracket), "the braces went wrong after this one")
        )
    return diagnostic

"""`dlspec explain CODE`."""

from __future__ import annotations

import sys

import click

from dlspec.cli.common import echo_json, guarded, json_option
from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest


@click.command("explain", help="What an error code means, with an example that fails and one that works.")
@click.argument("code", required=False)
@json_option
@guarded
def explain_command(code: str | None, as_json: bool) -> None:
    from dlspec.diagnostics.catalogue import entries, explain

    if code is None:
        if as_json:
            echo_json({c: e.title for c, e in entries().items()})
        else:
            click.echo("\n".join(f"{c}  {e.title}" for c, e in entries().items()))
        return
    try:
        entry = explain(code)
    except KeyError:
        guess = closest(code.upper(), list(entries()))
        hint = f"did you mean `{guess}`?" if guess else None
        raise fail("DLS0804", f"there is no error code `{code}`", hint=hint) from None
    if as_json:
        echo_json(entry.as_dict())
        return
    bold = sys.stdout.isatty()
    head = f"{entry.code}: {entry.title}"
    click.echo(click.style(head, bold=True) if bold else head)
    click.echo(f"\n{entry.why.strip()}\n")
    click.echo(f"This fails:\n\n{_indent(entry.fails)}\n\nThis works:\n\n{_indent(entry.works)}")


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.strip("\n").split("\n"))

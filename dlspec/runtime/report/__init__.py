"""The report of a run: one HTML page that needs nothing beside it.

`facts` gathers what there is to say, `curves` draws, and ``report.html.jinja`` arranges.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from dlspec.runtime.report.curves import curve, heat
from dlspec.runtime.report.facts import facts
from dlspec.weights.store import replacing

TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into the folder of a run, from what is in there; gives its path."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = made.from_string(TEMPLATE.read_text("utf-8")).render(facts(folder), curve=curve, heat=heat)
    place = folder / "report.html"
    with replacing(place) as temporary:
        temporary.write_text(text, "utf-8")
    return place

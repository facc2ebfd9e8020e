"""Pages as HTML: one file each, with all that they need inside, and with text that stays text.

Needs jinja2 (the extra ``report``). A policy in each page lets no script run but its own, and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.records.numbers import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from lightning_carbon.report.charts import Chart
    from lightning_carbon.report.pages.project_page import ProjectPage
    from lightning_carbon.report.pages.run_page import RunPage

_TEMPLATES: Final = Path(__file__).with_name("templates")


def html_of(
    page: RunPage | ProjectPage,
    charts: Sequence[Chart],
    *,
    version: str,
    remarks: Sequence[str] = (),
    home: str = "",
    refresh_seconds: float = 0.0,
) -> str:
    """A page as HTML.

    Args:
        page: Its content.
        charts: Its charts.
        version: Of this package.
        remarks: What it says of charts that are missing.
        home: Where the page of all runs is; empty for nowhere.
        refresh_seconds: How often it is fetched again; 0 for never.

    Raises:
        ImportError: There is no jinja2.
    """
    facts = getattr(page, "facts", ())
    script, style = _text("page.js"), _text("page.css")
    markup: Any = _environment().globals["markup"]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            charts=charts,
            remarks=remarks,
            facts=facts,
            kind="Energy report of a run" if facts else "Energy report of runs",
            home=home,
            version=version,
            refresh_seconds=refresh_seconds,
            style=markup(style),
            script=markup(script),
            script_hash=markup(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()),
        )
    )


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        """A value as a page shows it: control characters, and those that turn the direction of writing, are blanks."""
        return value if isinstance(value, Markup) else printable(str(value))

    loader = FileSystemLoader(_TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True
    )
    environment.filters["drawn"] = Markup  # an SVG of ours, whose own text matplotlib has escaped
    environment.globals["markup"] = Markup
    return environment

"""``lightning-carbon study published`` and ``study claims``: printed figures of 2019 beside computed figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.cli.output import show
from lightning_carbon.study.published.claims import claims, claims_sheet
from lightning_carbon.study.published.tables import published_rows, published_sheets

if TYPE_CHECKING:
    from lightning_carbon.cli.output import Form

_KEYS = ("table", "id", "name", "hardware", "hours", "power_watts", "computed", "printed", "closes")


def show_published(form: Form) -> None:
    """Print the study's Tables 1, 3 and 4, computed beside printed."""
    rows = published_rows()
    mappings = [row.as_mapping() for row in rows]
    show(
        form,
        published_sheets(rows),
        [{key: mapping[key] for key in _KEYS} for mapping in mappings],
        label="strubell2019",
    )


def show_claims(form: Form) -> None:
    """Print the claims of press reports about the study, the arithmetic, and the verdicts."""
    found = claims()
    show(form, [claims_sheet(found)], [claim.as_mapping() for claim in found], label="claims2019")

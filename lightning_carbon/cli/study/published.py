"""``lightning-carbon study published`` and ``study claims``: printed figures of 2019 beside computed figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.cli.output import show
from lightning_carbon.study.published.claims import claims_sheet
from lightning_carbon.study.published.mixes import mix_mapping
from lightning_carbon.study.published.press import claims
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.study.published.tables import published_rows, published_sheets

if TYPE_CHECKING:
    from lightning_carbon.cli.forms import Form

_KEYS = ("table", "id", "name", "hardware", "hours", "power_watts", "computed", "printed", "closes")


def show_published(form: Form) -> None:
    """Print the study's four tables, computed beside printed."""
    rows = published_rows()
    mappings = [row.as_mapping() for row in rows]
    plain = [{key: mapping[key] for key in _KEYS} for mapping in mappings]
    plain += map(mix_mapping, strubell2019().mixes)
    show(form, published_sheets(rows), sorted(plain, key=lambda row: row["table"]), label="strubell2019")


def show_claims(form: Form) -> None:
    """Print the claims of press reports about the study, the arithmetic, and the verdicts."""
    found = claims()
    show(form, [claims_sheet(found)], [claim.as_mapping() for claim in found], label="claims2019")

"""Factors say what they count, for whom, and how they were typed."""

from __future__ import annotations

import pytest

from lightning_carbon.carbon.intensity import Intensity


def intensity(basis: str, **fields: str | float) -> Intensity:
    """A factor of a hundred grams."""
    return Intensity(100.0, 90.0, 110.0, "somebody", 2025, basis, "SWE", assumed=False, **fields)  # type: ignore[arg-type]  # the fields of each test


@pytest.mark.parametrize(
    ("basis", "fields", "scopes"),
    [
        ("direct, generation", {}, "Scope 2 (direct emissions alone)"),
        (
            "life-cycle, generation",
            {},
            "Scope 2 and Scope 3 category 3 together, which the source does not split",
        ),
        (
            "life-cycle, mix by source",
            {"direct": 70.0, "upstream": 30.0},
            "Scope 2 (direct) 70 + Scope 3 category 3 (upstream) 30 gCO2e/kWh",
        ),
        ("as given", {}, ""),
    ],
)
def test_a_factor_says_the_scopes_that_it_covers(basis: str, fields: dict[str, float], scopes: str) -> None:
    """Direct emissions are Scope 2, upstream ones Scope 3, and a factor of both is called neither."""
    found = intensity(basis, **fields).scopes

    assert scopes == found


def test_a_place_is_shown_as_it_was_typed() -> None:
    """Who typed SE reads SE, and a record of before, which does not know it, shows the code."""
    typed, code = intensity("as given", typed="SE").place, intensity("as given").place

    assert ("SE", "SWE") == (typed, code)

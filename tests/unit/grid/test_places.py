"""Places as people type them: codes, names, parts of countries and regions of clouds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import UnknownRegion
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.places import place_of
from lightning_carbon.grid.tables import clouds, countries, parts, zones


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("SE", "SE"),
        ("swe", "SE"),
        ("Sweden", "SE"),
        ("UK", "GB"),
        ("united  kingdom", "GB"),
        ("The Netherlands", "NL"),
        ("Russian Federation", "RU"),
        ("Türkiye", "TR"),
        ("Côte d'Ivoire", "CI"),
        ("US-CA", "US-CA"),
        ("California", "US-CA"),
        ("CAMX", "EGRID-CAMX"),
        ("eGRID-RFCW", "EGRID-RFCW"),
        ("CA-QC", "CA-QC"),
        ("Québec", "CA-QC"),
        ("SE3", "SE-SE3"),
        ("NO-2", "NO-NO2"),
        ("DK1", "DK-DK1"),
        ("CN-GD", "CN-GD"),
        ("World", "WORLD"),
        ("global", "WORLD"),
        ("aws:eu-north-1", "aws:eu-north-1"),
        ("AWS:EU-North-1", "aws:eu-north-1"),
        ("google:europe-west4", "gcp:europe-west4"),
        ("azure:westeurope", "azure:westeurope"),
    ],
)
def test_a_place_may_be_typed_in_many_forms(typed: str, code: str) -> None:
    """Codes, names, aliases, parts of countries and regions of clouds, in either case."""
    assert code == place_of(typed)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("us-east-1", ("aws:us-east-1 (US East (N. Virginia))",)),
        ("westeurope", ("azure:westeurope (West Europe, Netherlands)",)),
        ("eu-north-9", ("aws:eu-north-1 (Europe (Stockholm))",)),
        ("aws:eu-nort-1", ("aws:eu-north-1",)),
        ("mix:gogle-2019", ("mix:google-2019",)),
        ("Georgia", ("GE (Georgia)", "US-GA (Georgia)")),
        ("NY", ("US-NY (New York)",)),
        ("US-ZZ", ("US (United States)",)),
        ("SE9", ("SE (Sweden)",)),
        ("England", ("GB (United Kingdom)",)),
        ("Korea", ("KR (South Korea)",)),
        ("Swedn", ("SE (Sweden)",)),
        ("GER", ("DE (Germany)",)),
        ("SWW", ("SE (Sweden)",)),
    ],
)
def test_what_may_be_meant_is_asked_about(typed: str, near: tuple[str, ...]) -> None:
    """A region without its cloud, a name of two places or a slip is refused with what was likely meant."""
    with pytest.raises(UnknownRegion) as refused:
        place_of(typed)

    assert set(near) <= set(refused.value.near)
    assert near[0] in str(refused.value)


@given(code=st.sampled_from([*countries(), *parts(), *zones(), *clouds()]))
def test_whatever_is_listed_can_be_typed(code: str) -> None:
    """Every code of every table leads to a factor that keeps it as it was typed."""
    found = intensity_of(code.lower())

    assert (code.lower(), False) == (found.typed, found.assumed)
    assert 0 < found.low <= found.value <= found.high
    assert found.source
    assert found.licence


def test_every_region_of_a_cloud_lies_in_a_place_of_the_tables() -> None:
    """No region leads nowhere."""
    lost = [region.code for region in clouds().values() if region.place not in {*countries(), *parts(), *zones()}]

    assert lost == []

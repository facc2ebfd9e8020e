"""Electricity by its sources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.by_source import PRESETS, SOURCES, mix_of
from lightning_carbon.grid.factors import intensity_of

weights = st.dictionaries(st.sampled_from(sorted(SOURCES)), st.floats(0.01, 1.0), min_size=1)


def test_a_mix_is_the_sum_of_its_sources_and_split_by_scope() -> None:
    """IPCC's medians, weighted; what leaves a stack is apart from what lies upstream."""
    found = intensity_of({"coal": 0.3, "wind": 0.7})

    assert found.value == pytest.approx(0.3 * 820 + 0.7 * 11)
    assert (found.low, found.high) == pytest.approx((0.3 * 740 + 0.7 * 7, 0.3 * 910 + 0.7 * 56))
    assert (found.direct, found.upstream) == pytest.approx((0.3 * 760, 0.3 * 60 + 0.7 * 11))
    assert ("coal 0.3, wind 0.7", "mix") == (found.place, found.region)


@given(weights=weights)
def test_the_parts_of_a_mix_add_up_and_lie_in_its_range(weights: dict[str, float]) -> None:
    """However it is made up, direct and upstream are the value, which lies between its ends."""
    whole = sum(weights.values())
    found = mix_of({name: weight / whole for name, weight in weights.items()})

    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    if found.direct is not None and found.upstream is not None:
        assert found.value == pytest.approx(found.direct + found.upstream)


@pytest.mark.parametrize("text", ["coal=0.3,wind=0.7", '{"coal": 0.3, "wind": 0.7}', "{'coal': 0.3, 'wind': 0.7}"])
def test_a_mix_may_come_from_a_text(text: str) -> None:
    """As a variable or an option can have it, and as Python and JSON write it."""
    assert intensity_of({"coal": 0.3, "wind": 0.7}) == intensity_of(text)


@pytest.mark.parametrize(
    ("mix", "meant"),
    [
        ({"coal": 30, "wind": 70}, "if they are percents, give {'coal': 0.3, 'wind': 0.7}"),
        ({"coal": 0.3, "wind": 0.6}, "the shares add up to 0.9 instead of 1"),
        ({"coal": -0.3, "wind": 1.3}, "the share of coal is -0.3"),
        ({"coal": True}, "the share of coal is True"),
        ({"coal": float("nan")}, "the share of coal is nan"),
        ({"cole": 1.0}, "did you mean coal?"),
        ({"oil": 1.0}, "there are no emissions of 'oil'"),
        ({}, "the shares add up to 0 instead of 1"),
        ("coal=some,wind=0.7", "give the share of each source"),
    ],
)
def test_a_mix_that_cannot_be_is_refused(mix: dict[str, float] | str, meant: str) -> None:
    """Shares that do not add up, negative ones and unknown sources name what was likely meant."""
    with pytest.raises(ConfigError, match="region=") as refused:
        intensity_of(mix)

    assert meant in str(refused.value)


def test_the_study_has_six_mixes() -> None:
    """Each is known by name, and what its table leaves open widens the range to both sides."""
    found = {name: intensity_of(name) for name in PRESETS}

    assert len(found) == 6
    assert found["mix:china-2019"].value == pytest.approx((22 * 31 + 3 * 490 + 65 * 820 + 4 * 12) / 94)
    assert all(mix.low < mix.value < mix.high and mix.direct is None for mix in found.values())
    assert "6% of the mix is not stated" in found["mix:china-2019"].span


def test_a_share_without_a_range_is_named() -> None:
    """Where the ends of a source could not be looked up, the factor says so."""
    assert "without geothermal" in intensity_of({"geothermal": 0.5, "hydro": 0.5}).span

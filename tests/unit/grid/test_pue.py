"""Power usage effectiveness: given, or the world's average."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import PowerUsage
from lightning_carbon.grid.pue import pue_of


@given(pue=st.floats(min_value=1, max_value=100))
def test_a_given_figure_is_taken_exactly(pue: float) -> None:
    """What the user says of the site is not widened and not marked as assumed."""
    assert PowerUsage(pue, pue, pue, "given", assumed=False) == pue_of(pue)


def test_none_is_the_world_average_and_says_so() -> None:
    """Nobody having said, the survey's average of 2025 is taken, assumed, down to a site that spends nothing."""
    usage = pue_of(None)

    assert (1.0, 1.54, True) == (usage.low, usage.value, usage.assumed)
    assert usage.value < usage.high
    assert "2025" in usage.source

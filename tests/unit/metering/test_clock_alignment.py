"""Dead reckoning between two clocks: true bounds never make it worse."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.metering.clock_alignment import ClockAlignment
from tests.strategies import SECOND

Bounds = tuple[int, int, int]
"""A moment on the device's clock, and by how much the bounds on the host's lie before and after the true one."""

bounds = st.tuples(st.integers(0, 1_000 * SECOND), st.integers(0, SECOND), st.integers(0, SECOND))
offsets = st.integers(-(10**12), 10**15)

ROUNDING_NS = 1.0


def _learn(reckoning: ClockAlignment, offset_ns: int, bracket: Bounds) -> None:
    device_ns, before_ns, after_ns = bracket
    reckoning.narrow(device_ns, device_ns + offset_ns - before_ns, device_ns + offset_ns + after_ns)


@given(offsets, st.lists(bounds, min_size=1, max_size=30))
def test_true_bounds_never_make_it_worse(offset_ns: int, told: list[Bounds]) -> None:
    """However wide bounds are and in whatever order they come, the error of the offset does not grow."""
    reckoning = ClockAlignment()
    errors = []
    for bracket in told:
        _learn(reckoning, offset_ns, bracket)
        assert reckoning.offset_ns is not None
        errors.append(abs(reckoning.offset_ns - offset_ns))

    assert all(after <= before + ROUNDING_NS for before, after in pairwise(errors))


@given(offsets, st.lists(bounds, min_size=1, max_size=30))
def test_it_keeps_to_all_bounds_there_were(offset_ns: int, told: list[Bounds]) -> None:
    """While the clocks run alike, the offset is within the narrowest of what was told on either side."""
    reckoning = ClockAlignment()
    for bracket in told:
        _learn(reckoning, offset_ns, bracket)
    before_ns, after_ns = min(bracket[1] for bracket in told), min(bracket[2] for bracket in told)

    assert reckoning.offset_ns is not None
    assert offset_ns - before_ns - ROUNDING_NS <= reckoning.offset_ns <= offset_ns + after_ns + ROUNDING_NS


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12), st.integers(0, 10**12), st.integers(0, 10**9))
def test_a_moment_is_within_its_own_bounds(offset_ns: float, device_ns: float, earliest_ns: int, span_ns: int) -> None:
    """Whatever was told of other moments, or nothing, a moment is neither before nor after what is known of itself."""
    reckoning = ClockAlignment()
    blind_ns = reckoning.moment(device_ns, earliest_ns, earliest_ns + span_ns)
    reckoning.offset_ns = offset_ns

    assert earliest_ns == blind_ns
    assert earliest_ns <= reckoning.moment(device_ns, earliest_ns, earliest_ns + span_ns) <= earliest_ns + span_ns


def test_drifting_clocks_are_followed() -> None:
    """Bounds on both sides, however seldom narrow, pull the offset along with a clock that gains."""
    reckoning = ClockAlignment()
    drift = 50e-6
    errors = []
    for second in range(2_000):
        device_ns = second * SECOND * (1 + drift)
        before_ns, after_ns = (20_000, 30_000_000) if second % 2 else (30_000_000, 20_000)
        reckoning.narrow(device_ns, second * SECOND - before_ns, second * SECOND + after_ns)
        errors.append(abs(reckoning.moment(device_ns, 0, 10**15) - second * SECOND))

    assert max(errors[2:]) <= 20_000 + 2 * drift * SECOND + ROUNDING_NS

"""When a computed figure is the one that was printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.study.printed import Printed

printed = st.one_of(
    st.integers(0, 10**9).map(str),
    st.integers(0, 10**6).map(lambda thousands: f"{thousands}k"),
    st.tuples(st.integers(0, 10**6), st.integers(0, 999)).map(lambda parts: f"{parts[0]}.{parts[1]}"),
).map(Printed)


@pytest.mark.parametrize(
    ("text", "value", "unit"), [("1507", 1_507, 1), ("284.02", 284.02, 0.01), ("103k", 103_000, 1_000), ("0", 0, 1)]
)
def test_the_last_digit_says_how_exact_a_figure_is(text: str, value: float, unit: float) -> None:
    """A unit, a hundredth, a thousand."""
    figure = Printed(text)

    assert (value, value, unit) == (figure.value, figure.number, figure.unit)


@pytest.mark.parametrize(
    ("text", "computed", "closes"),
    [
        ("1507", 1_506.826, True),
        ("1507", 1_503.02, False),
        ("1507", 1_506.4999, False),
        ("146848", 146_848.5, True),
        ("146849", 146_848.5, True),
        ("0.52", 0.525, True),
        ("103k", 103_175.06, True),
        ("103k", 103_500.01, False),
        ("27", None, False),
    ],
)
def test_a_figure_closes_when_it_rounds_to_the_printed_digits(text: str, computed: float | None, closes: bool) -> None:  # noqa: FBT001 - the expected verdict
    """A tie may have been rounded to either side; what could not be computed closes with nothing."""
    assert closes is Printed(text).closes(computed)


@given(printed)
def test_a_figure_closes_with_itself_and_not_with_the_next(figure: Printed) -> None:
    """However it was printed."""
    assert figure.closes(figure.value)
    assert not figure.closes(figure.value + figure.unit)
    assert not figure.closes(figure.value - figure.unit)


@given(st.floats(0, 1e9))
def test_what_is_printed_of_a_figure_closes_with_it(value: float) -> None:
    """Rounding to print and checking what was printed are inverse."""
    assert Printed(f"{value:.0f}").closes(value)
    assert Printed(f"{value:.2f}").closes(value)


@pytest.mark.parametrize("text", ["", "1,507", "about 5", "-3", "k", "1e5", "5 kg"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    """Digits, a point, a k; nothing else."""
    with pytest.raises(ValueError, match="no printed figure"):
        Printed(text)

"""What is going to run: hours from the model's arithmetic, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.planning import plan


def test_hours_follow_from_the_model_s_arithmetic() -> None:
    """6 x 7e9 x 1e12 operations on 64 H100 at 989.4 TFLOP/s and an MFU of 0.4 take 460.6 hours, by hand."""
    job = plan("H100", 64, params=7e9, tokens=1e12, mfu=0.4)

    assert 4.2e22 == job.flops
    assert ("bf16", 989.4e12) == job.precision
    assert 4.2e22 / (64 * 989.4e12 * 0.4) / 3600 == pytest.approx(job.hours.span.value)
    assert job.hours.span.low == job.hours.span.value == job.hours.span.high


def test_an_mfu_that_nobody_gave_gives_hours_a_range() -> None:
    """The more of the peak is reached, the sooner it is over."""
    job = plan("A100", 8, params=1e9, tokens=1e11)

    assert job.hours.span.low < job.hours.span.value < job.hours.span.high
    assert job.mfu is not None
    assert job.hours.span.high / job.hours.span.low == pytest.approx(job.mfu.span.high / job.mfu.span.low)


def test_the_format_decides_the_peak() -> None:
    """In 8 bits an H100 computes twice as fast as in 16, so the same model takes half the hours."""
    wide = plan("H100", params=1e9, tokens=1e9, mfu=0.4)
    narrow = plan("H100", params=1e9, tokens=1e9, mfu=0.4, precision="fp8")

    assert wide.hours.span.value / 2 == pytest.approx(narrow.hours.span.value, rel=1e-3)


@given(count=st.integers(1, 100_000), params=st.floats(1e6, 1e13), tokens=st.floats(1e6, 1e14), mfu=st.floats(0.01, 1))
def test_hours_are_linear_in_the_work_and_fall_with_the_number(
    count: int, params: float, tokens: float, mfu: float
) -> None:
    """Twice the tokens take twice as long, twice the accelerators half."""
    once = plan("A100", count, params=params, tokens=tokens, mfu=mfu).hours.span.value
    longer = plan("A100", count, params=params, tokens=2 * tokens, mfu=mfu).hours.span.value
    wider = plan("A100", 2 * count, params=params, tokens=tokens, mfu=mfu).hours.span.value

    assert 2 * once == pytest.approx(longer)
    assert once / 2 == pytest.approx(wider)


def test_a_limit_stands_in_for_the_rating() -> None:
    """A power limit is taken instead of the data sheet's figure, and a part that is not listed needs one."""
    assert 450 == plan("H100", hours=1, gpu_watts=450).rated_watts
    assert 170 == plan(hours=1, gpu_watts=170).rated_watts


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        ({"hours": 1}, "gpu", "name an accelerator"),
        ({"gpu": "H100"}, "hours", "or the model's parameters and its tokens"),
        ({"gpu": "H100", "params": 7e9}, "tokens", "give the tokens too"),
        ({"gpu": "H100", "tokens": 1e12}, "params", "give the model's parameters too"),
        ({"gpu": "H100", "mfu": 0.4}, "hours", "give how long"),
        ({"gpu": "H100", "hours": 84, "params": 7e9}, "params", "one of them must decide"),
        ({"gpu": "H100", "hours": 84, "tokens": 1e12}, "tokens", "one of them must decide"),
        ({"gpu": "H100", "hours": 84, "mfu": 0.4}, "mfu", "one of them must decide"),
        ({"gpu": "H100", "hours": 84, "precision": "bf16"}, "precision", "one of them must decide"),
        ({"gpu": "H100", "hours": 0}, "hours", "above zero"),
        ({"gpu": "H100", "hours": -3}, "hours", "above zero"),
        ({"gpu": "H100", "hours": float("nan")}, "hours", "above zero"),
        ({"gpu": "H100", "hours": float("inf")}, "hours", "above zero"),
        ({"gpu": "H100", "hours": True}, "hours", "above zero"),
        ({"gpu": "H100", "hours": 1, "count": 0}, "count", "from 1 up"),
        ({"gpu": "H100", "hours": 1, "utilisation": 1.5}, "utilisation", "from 0 to 1"),
        ({"gpu": "H100", "hours": 1, "utilisation": 80}, "utilisation", "from 0 to 1"),
        ({"gpu": "H100", "hours": 1, "utilisation": -0.1}, "utilisation", "from 0 to 1"),
        ({"gpu": "H100", "hours": 1, "utilisation": float("nan")}, "utilisation", "from 0 to 1"),
        ({"gpu": "H100", "hours": 1, "gpu_watts": 0}, "gpu_watts", "such as 350"),
        ({"gpu": "H100", "params": 7e9, "tokens": 1e12, "mfu": 0}, "mfu", "above 0 and up to 1"),
        ({"gpu": "H100", "params": 7e9, "tokens": 1e12, "mfu": 40}, "mfu", "above 0 and up to 1"),
        ({"gpu": "H100", "params": 7e9, "tokens": 1e12, "precision": "int3"}, "precision", "give one of these"),
        ({"gpu": "H100", "params": -1, "tokens": 1e12}, "params", "such as 7e9"),
        ({"gpu": "TPU v5p", "hours": 1}, "gpu", "no source says what Google TPU v5p draws"),
        (
            {"gpu": "M2 Ultra", "hours": 1},
            "gpu",
            "M2 Ultra draws (its whole machine: 295 W at most); give",
        ),
        ({"gpu_watts": 300, "params": 7e9, "tokens": 1e12}, "gpu", "name one of the table"),
        ({"gpu": "H1OO", "hours": 1}, "gpu", "did you mean"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_fix(arguments: dict[str, Any], named: str, said: str) -> None:
    """The hours follow from one of the two ways, and every figure is within its bounds."""
    with pytest.raises(ConfigError) as refused:
        plan(**arguments)

    assert named == refused.value.argument
    assert said in refused.value.fix


def test_a_part_whose_power_nobody_published_works_with_one_that_is_given() -> None:
    """The peak of a TPU v5p is published and its power is not; with a power, hours and energy follow."""
    job = plan("TPU v5p", 4, params=1e9, tokens=1e10, gpu_watts=500)

    assert (500, "bf16") == (job.rated_watts, job.precision and job.precision[0])

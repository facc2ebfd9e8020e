"""Power limits beside each other: what is recommended, by which rule, and what is shown."""

from __future__ import annotations

import json
from random import Random

import pytest

from lightning_carbon.baseline.contest import Trial, WorkUnit
from lightning_carbon.baseline.tuning import TUNING_SCHEMA, tuning_of
from lightning_carbon.errors import ConfigError

LIMITS = ("100 %", "85 %", "70 %")


def trials(joules: float, seconds: float, *, noise: float = 0.002, provenance: str = "counter") -> list[Trial]:
    """Five trials of a step and a run."""
    random = Random(f"{joules} {seconds}")
    return [
        Trial(
            run_id=f"{joules:g}-{number}",
            hardware="NVIDIA H100",
            judged=frozenset({("gpu", provenance)}),
            joules={WorkUnit.STEP: drawn * joules, WorkUnit.RUN: drawn * joules * 100},
            seconds={WorkUnit.STEP: lasted * seconds, WorkUnit.RUN: lasted * seconds * 100},
        )
        for number in range(5)
        for drawn, lasted in [(random.lognormvariate(0, noise), random.lognormvariate(0, noise))]
    ]


@pytest.mark.parametrize(
    ("allowed", "best", "said"),
    [
        (0.05, "85 %", "Take 85 %: 12."),
        (0.2, "70 %", "Take 70 %: 25."),
        (0.001, "100 %", "Stay at 100 %: no lower limit clearly saves energy and is surely no more than 0.1 % slower"),
    ],
)
def test_the_least_energy_within_the_time_allowed_is_recommended(allowed: float, best: str, said: str) -> None:
    """Of 40, 35 and 30 J a step, for 0, 3 and 15 % more time."""
    sides = [trials(40.0, 0.1), trials(35.0, 0.103), trials(30.0, 0.115)]
    found = tuning_of(LIMITS, sides, allowed_slower=allowed)

    assert (best, WorkUnit.STEP) == (found.recommended, found.unit)
    assert found.headline().startswith(said)


def test_what_noise_hides_is_not_recommended() -> None:
    """A saving that may be none is none."""
    sides = [trials(40.0, 0.1, noise=0.1), trials(39.9, 0.1, noise=0.1)]

    assert "100 %" == tuning_of(LIMITS[:2], sides, allowed_slower=0.9).recommended


def test_the_table_has_both_changes_with_their_intervals() -> None:
    """None for the highest limit, which the others are compared with; what is modelled is said."""
    sides = [trials(40.0, 0.1, provenance="modelled"), trials(20.0, 0.2, provenance="modelled")]
    found = tuning_of(LIMITS[:2], sides, allowed_slower=0.05, per=WorkUnit.RUN)
    high, low = found.rows()

    assert ["100 %", *["–"] * 2] == [high[0], *high[3:]]
    assert [-50, 100] == pytest.approx([float(low[place].split(" %")[0]) for place in (3, 4)], abs=1)
    assert all(" to " in low[place] for place in (3, 4))
    assert "Nothing was measured: all energy is modelled." in found.notes


def test_the_mapping_is_plain() -> None:
    """JSON gives back what was put in."""
    mapping = tuning_of(LIMITS[:2], [trials(40.0, 0.1), trials(35.0, 0.1)], allowed_slower=0.05).as_mapping()

    assert mapping == json.loads(json.dumps(mapping))
    assert (TUNING_SCHEMA, "85 %", "step") == (mapping["schema"], mapping["recommended"], mapping["unit"])


def test_a_unit_that_no_run_counts_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match="not every run counts its tokens; give one of step, run"):
        tuning_of(LIMITS[:1], [trials(40.0, 0.1)], allowed_slower=0.05, per=WorkUnit.TOKEN)

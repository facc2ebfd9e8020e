"""The packaged classes of machines."""

from __future__ import annotations

import re

import pytest

from lightning_carbon.grid.machines import DESKTOP, KNOWN, MACHINES, machine_named


@pytest.mark.parametrize("name", MACHINES)
def test_every_class_has_its_range_and_its_source(name: str) -> None:
    """Low, value and high in order, and a year, or the word that it is ours."""
    model = MACHINES[name]

    assert 0 <= model.constant_low_watts <= model.constant_watts <= model.constant_high_watts
    assert 0 <= model.share_low <= model.share <= model.share_high
    assert re.search(r"\b(19|20)\d\d\b", model.source)
    assert (True, 1.0) == (model.assumed, model.portion)


@pytest.mark.parametrize("name", [*MACHINES, *KNOWN, "DGX-H100"])
def test_a_machine_that_is_named_is_not_assumed(name: str) -> None:
    """By its class or by its own name, in whatever case."""
    model = machine_named(name)

    assert (name.casefold(), False, "given") == (model.machine, model.assumed, model.reason)


def test_a_name_that_nothing_has_is_refused() -> None:
    """A class is never guessed from a name."""
    with pytest.raises(KeyError):
        machine_named("deep thought")


def test_the_walls_of_the_desktop_lie_in_its_range() -> None:
    """Means of groups of runs at the wall meter (Fischer et al. 2025), in watts of chips and of the wall."""
    model = MACHINES[DESKTOP]
    for chips, wall in ((350.4, 436.9), (187.1, 277.9), (211.8, 289.2)):
        low = chips * (1 + model.share_low) + model.constant_low_watts
        high = chips * (1 + model.share_high) + model.constant_high_watts

        assert low <= wall <= high
        assert wall == pytest.approx(chips * (1 + model.share) + model.constant_watts, rel=0.06)

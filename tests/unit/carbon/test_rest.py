"""From chips to the machine at its plug: laws of the rest, modelled and measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.rest import MachineReading, RestModel, machine_of, rest_between
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import Energy

HOUR_NS = 3_600 * 10**9
MODEL = RestModel("desktop", 50.0, 20.0, 90.0, 0.15, 0.08, 0.25, "a study of 2025", assumed=True)

energies = st.integers(0, 10**13).map(Energy)
spans = st.tuples(energies, energies, energies).map(lambda ends: sorted(ends, key=lambda energy: energy.microjoules))
bounds = spans.map(lambda ends: Bounds(ends[1], ends[0], ends[2]))


def joules(energy: Bounds[Energy] | None) -> tuple[float, float, float]:
    """The value and both ends."""
    assert energy is not None
    return energy.value.joules, energy.low.joules, energy.high.joules


def test_a_constant_and_a_share_by_hand() -> None:
    """An hour at 300 W of chips: 50 W and 15 % beside them, of which half of the machine halves the constant alone."""
    chips = Bounds.exactly(Energy.from_joules(300 * 3600))
    half = replace(MODEL, portion=0.5)

    assert pytest.approx((395 * 3600, 344 * 3600, 465 * 3600)) == joules(machine_of(chips, HOUR_NS, model=MODEL))
    assert pytest.approx((370 * 3600, 334 * 3600, 420 * 3600)) == joules(machine_of(chips, HOUR_NS, model=half))


@given(bounds, st.integers(0, 10**15))
def test_a_modelled_machine_is_its_chips_and_the_rest(chips: Bounds[Energy], duration_ns: int) -> None:
    """To the microjoule, at both ends, and never less than the chips."""
    machine, rest = machine_of(chips, duration_ns, model=MODEL), MODEL.rest_of(chips, duration_ns)

    assert chips + rest == machine
    assert rest.low.microjoules <= rest.value.microjoules <= rest.high.microjoules


@given(bounds, bounds)
def test_a_sensor_of_the_whole_time_decides_alone(chips: Bounds[Energy], shown: Bounds[Energy]) -> None:
    """Whatever the model says; unless it shows less than the chips, which no machine does."""
    machine = machine_of(chips, HOUR_NS, model=MODEL, reading=MachineReading(shown, 1.0))

    assert machine == (chips if shown.value.microjoules < chips.value.microjoules else shown)


def test_what_no_reading_covers_is_modelled() -> None:
    """Half of an hour on a battery that showed 100 W, and half by the model; without one, by the chips alone."""
    chips = Bounds.exactly(Energy.from_joules(40 * 3600))
    reading = MachineReading(Bounds.exactly(Energy.from_joules(100 * 1800)), 0.5)

    assert pytest.approx(1800 * (100 + 96)) == joules(machine_of(chips, HOUR_NS, model=MODEL, reading=reading))[0]
    assert pytest.approx(1800 * (100 + 40)) == joules(machine_of(chips, HOUR_NS, model=None, reading=reading))[0]


@pytest.mark.parametrize("reading", [None, MachineReading(Bounds.exactly(Energy(7)), 0.0)])
def test_without_a_model_and_a_reading_nothing_is_known(reading: MachineReading | None) -> None:
    """A sensor that was never read is none."""
    assert machine_of(Bounds.exactly(Energy(1)), 1, model=None, reading=reading) is None


@given(bounds, bounds)
def test_the_rest_is_never_negative(machine: Bounds[Energy], chips: Bounds[Energy]) -> None:
    """The range of the rest is the machine's, beyond what the chips have used."""
    rest = rest_between(machine, chips)

    assert 0 <= rest.low.microjoules <= rest.value.microjoules <= rest.high.microjoules


def test_the_model_says_its_source() -> None:
    """In a line, with the portion where it is one."""
    half = replace(MODEL, portion=0.5)

    assert "desktop: 50 W + 15% of the chips; a study of 2025" == MODEL.method
    assert "desktop: 25 W of 50% of the machine + 15% of the chips; a study of 2025" == half.method


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.sampled_from([1.0, 0.25]))
def test_the_value_alone_is_that_with_its_range(chips_uj: int, duration_ns: int, portion: float) -> None:
    """A row, which needs no range, has the very microjoules of the record."""
    model = replace(MODEL, portion=portion)

    whole = model.rest_of(Bounds.exactly(Energy(chips_uj)), duration_ns)

    assert whole.value.microjoules == model.rest_microjoules(chips_uj, duration_ns)

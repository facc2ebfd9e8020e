"""The machines of a run at their plugs, from what its ranks have written, in records and in rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.grid.machines import DESKTOP, MACHINES
from lightning_carbon.metering.sums import sums_of
from lightning_carbon.records.anonymous import anonymous
from lightning_carbon.records.journal import DomainDescription, RankPart, beat_mapping, header_mapping, part_of
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from tests.unit.records.parts import SECOND, domain, part
from tests.unit.records.samples import FULL

MODEL = MACHINES[DESKTOP]
CHIP, OTHER_CHIP = domain("gpu:0"), domain("gpu:1")
PLUG = domain("machine:0", provenance="integrated")
JOULE = 1_000_000


def modelled(rank: int, uj: dict[DomainDescription, int], host: str = "node-0", seconds: int = 10) -> RankPart:
    """A rank whose host has a model of the rest."""
    written = part(rank, uj, world=4, host=host, seconds=seconds)
    return replace(written, header=replace(written.header, rest=MODEL))


def test_the_rest_is_charged_once_a_host() -> None:
    """Two ranks of a host share its constant, the second host has its own, and the share follows the chips."""
    ranks = [
        modelled(0, {CHIP: 3000 * JOULE}),
        part(1, {OTHER_CHIP: 1000 * JOULE}, world=4),
        modelled(2, {CHIP: 2000 * JOULE}, "node-1"),
    ]
    record = record_of(ranks)
    assert record.machine is not None
    first, second = record.machine.hosts

    assert pytest.approx(50 * 10 + 0.15 * 4000) == first.rest_joules
    assert pytest.approx(50 * 10 + 0.15 * 2000) == second.rest_joules
    assert pytest.approx(6000 + 1000 + 0.15 * 6000) == record.machine.joules
    assert record.machine.low_joules < record.machine.joules < record.machine.high_joules
    assert "machine" == record.carbon.boundary
    assert record.carbon.grams_co2e == pytest.approx(record.machine.joules / 3.6e6 * 1.1 * 12)


def test_a_sensor_of_the_machine_is_in_no_total_of_chips() -> None:
    """It decides over the rest, and the chips stay what they are."""
    record = record_of([modelled(0, {CHIP: 3000 * JOULE, PLUG: 4120 * JOULE})])
    assert record.machine is not None
    [host] = record.machine.hosts

    assert pytest.approx(3000) == record.energy.total_joules
    assert ["gpu:0"] == [each_domain.id for each_domain in record.energy.domains]
    assert ["gpu:0"] == record.ranks[0].devices
    assert (4120, 1120, 1.0, "integrated") == (host.joules, host.rest_joules, host.measured_ratio, host.provenance)
    assert (4120 * 0.95, 4120 * 1.05) == pytest.approx((host.low_joules, host.high_joules))


def test_nothing_known_of_any_machine_leaves_the_chips() -> None:
    """As in records of before; and a host of which nothing is known counts with its chips."""
    alone = record_of([part(0, {CHIP: 3000 * JOULE})])
    mixed = record_of([modelled(0, {CHIP: 3000 * JOULE}), part(1, {CHIP: 1000 * JOULE}, world=4, host="node-1")])
    assert mixed.machine is not None

    assert (None, "chips", 1.0) == (alone.machine, alone.carbon.boundary, alone.machine_ratio)
    assert (1000, 0) == (mixed.machine.hosts[1].joules, mixed.machine.hosts[1].rest_joules)
    assert alone.priced_energy is not None
    assert mixed.priced_energy is not None
    assert (3000, mixed.machine.joules) == (alone.priced_energy.value.joules, mixed.priced_energy.value.joules)
    assert "nothing is known beside its chips" == mixed.machine.hosts[1].method


def test_a_sensor_that_was_never_read_leaves_the_model() -> None:
    """Or nothing, where there is no model."""
    header = modelled(0, {CHIP: 3000 * JOULE, PLUG: 0}).header
    unread = part(0, {CHIP: 3000 * JOULE, PLUG: 0}, covered=0)
    with_model = record_of([replace(unread, header=replace(header, world_size=1))])
    without = record_of([unread])
    assert with_model.machine is not None
    assert without.machine is not None

    assert pytest.approx(500 + 450) == with_model.machine.rest_joules
    assert (3000, 0) == (without.machine.joules, without.machine.rest_joules)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**5), st.booleans())
def test_rows_and_record_have_the_same_machine(first: int, second: int, seconds: int, measured: bool) -> None:  # noqa: FBT001
    """What rows add up to is the record's energy of the machines, to the microjoule."""
    uj = {CHIP: first, PLUG: 2 * first + 1} if measured else {CHIP: first}
    ranks = [modelled(0, uj, seconds=seconds), part(1, {OTHER_CHIP: second}, world=4, seconds=seconds)]
    record, sums = record_of(ranks), sums_of(ranks)
    assert record.machine is not None
    assert sums.machine is not None

    assert record.machine.joules == pytest.approx(sums.machine / JOULE, abs=1e-6)
    assert sums.total == round((record.energy.total_joules or 0) * JOULE)


def test_a_journal_keeps_the_model_and_one_of_before_has_none() -> None:
    """What a header says of the rest is read back; without it there is no machine."""
    written = modelled(0, {CHIP: JOULE})
    header, beat = header_mapping(written.header), beat_mapping(written.beat)

    assert MODEL == part_of(header, beat).header.rest
    del header["rest"]
    assert part_of(header, beat).header.rest is None


def test_a_record_of_before_has_the_footprint_of_its_chips() -> None:
    """It is read as it was, and says whose energy was priced."""
    values = to_mapping(FULL)
    del values["machine"], values["carbon"]["boundary"]
    record = from_mapping(values)

    assert (None, "chips") == (record.machine, record.carbon.boundary)
    assert " (chips) × PUE" in record.summary()
    assert FULL.machine == from_mapping(to_mapping(FULL)).machine


def test_a_record_without_names_hides_the_machines_too() -> None:
    """The hosts of an anonymous record have numbers."""
    hidden = anonymous(FULL).machine
    assert hidden is not None

    assert ["host 0"] == [host.host for host in hidden.hosts]
    assert anonymous(replace(FULL, machine=None)).machine is None


def test_a_measured_machine_is_said_to_be_measured() -> None:
    """In the summary, also where one host of two has no sensor."""
    measured = part(0, {CHIP: 3000 * JOULE, PLUG: 4120 * JOULE}, world=2)
    other = modelled(1, {CHIP: 3000 * JOULE}, "node-1")

    assert "of the machine, measured  " in record_of([measured]).summary()
    assert "of the machine, measured in " in record_of([measured, other]).summary()
    assert "rest of node-1: desktop: 50 W" in record_of([measured, other]).summary()
    assert SECOND == 10**9

"""The intervals of a record, from what its ranks have written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_carbon.carbon.interval import Interval
from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.errors import RecordError
from lightning_carbon.grid.machines import DESKTOP, MACHINES
from lightning_carbon.records.journal import DomainDescription, RankPart
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL, SURVEY, WORLD

JOULE = 1_000_000
CARD = replace(domain("gpu:0"), name="A100")
SECOND_CARD = replace(domain("gpu:1"), name="A100")
OTHER_CARD = replace(domain("gpu:1"), name="H100")
PLUG = replace(domain("machine:0", provenance="integrated"), uncertainty_ratio=0.02)


def run(uj: dict[DomainDescription, int], *, covered: int | None = None) -> RankPart:
    """A desktop that has ended, in an unknown place."""
    known = part(0, uj, seconds=100, covered=covered, status=Status.COMPLETED)
    return replace(known, header=replace(known.header, rest=MACHINES[DESKTOP], intensity=WORLD, pue=SURVEY))


def half_of(interval: Interval | None) -> float:
    """Half of the width."""
    assert interval is not None
    return (interval.high - interval.low) / 2


def test_a_run_that_has_ended_has_intervals_within_its_bounds() -> None:
    """Of its chips, of its machine and of its CO2e; a run under way has none."""
    ended = record_of([run({CARD: 30_000 * JOULE})])
    under_way = record_of([run({CARD: 30_000 * JOULE})], status=Status.RUNNING)
    assert ended.machine is not None
    assert ended.machine.interval is not None
    assert ended.carbon.interval is not None
    assert ended.energy.interval is not None

    assert (0.9, "closed form", None) == (
        ended.energy.interval.level,
        ended.energy.interval.method,
        ended.energy.interval.draws,
    )
    assert [28_650, 31_350] == pytest.approx([ended.energy.interval.low, ended.energy.interval.high])
    assert ("Monte Carlo", 2_000, 2019) == (
        ended.carbon.interval.method,
        ended.carbon.interval.draws,
        ended.carbon.interval.seed,
    )
    assert ended.machine.low_joules < ended.machine.interval.low < ended.machine.joules
    assert ended.machine.joules < ended.machine.interval.high < ended.machine.high_joules
    assert (None, None) == (under_way.energy.interval, under_way.carbon.interval)
    assert under_way.machine is not None
    assert under_way.machine.interval is None


def test_cards_of_a_model_err_together_and_cards_of_two_models_do_not() -> None:
    """Their gains have the model for a cause."""
    alike = record_of([run({CARD: 1_000 * JOULE, SECOND_CARD: 1_000 * JOULE})])
    apart = record_of([run({CARD: 1_000 * JOULE, OTHER_CARD: 1_000 * JOULE})])

    assert 90.0 == pytest.approx(half_of(alike.energy.interval))
    assert half_of(apart.energy.interval) < 75.0


def test_processors_read_in_the_same_way_err_together() -> None:
    """Packages go by number, so the method that reads them is what they have in common."""
    packages = {replace(domain(f"package:{number}"), method="RAPL"): 1_000 * JOULE for number in range(2)}

    assert 90.0 == pytest.approx(half_of(record_of([run(packages)]).energy.interval))


def test_a_model_is_narrower_than_its_limits() -> None:
    """Its value is more likely than its ends, of which a sensor's range says nothing."""
    model = replace(domain("package:0", provenance="modelled"), uncertainty_ratio=0.5)
    record = record_of([run({model: 1_000 * JOULE})])

    assert 500 * (1 - 0.1**0.5) == pytest.approx(half_of(record.energy.interval))


def test_offsets_and_missed_time_widen_it() -> None:
    """Of a sensor alone; one that reads low begins where it reads."""
    low = replace(CARD, accuracy=Accuracy(0.0, 0.1, 0.0, 2.0, 0.7))
    gain = replace(CARD, accuracy=Accuracy(0.0, 0.1))
    wide, narrow = (record_of([run({card: 10_000 * JOULE})]).energy.interval for card in (low, gain))
    assert wide is not None
    assert narrow is not None

    assert [10_000, 10_950] == pytest.approx([narrow.low, narrow.high])
    assert 10_000 == wide.low
    assert wide.high > narrow.high
    assert half_of(record_of([run({low: 10_000 * JOULE}, covered=0)]).energy.interval) == half_of(narrow)


def test_a_sensor_of_the_machine_decides() -> None:
    """Its range alone where it was read throughout, with the model where it was not."""
    whole = record_of([run({CARD: 30_000 * JOULE, PLUG: 41_000 * JOULE})])
    partly = record_of([run({CARD: 30_000 * JOULE, PLUG: 20_000 * JOULE}, covered=50)])
    never = record_of([run({CARD: 30_000 * JOULE, PLUG: 0}, covered=0)])
    blind = record_of([run({CARD: 30_000 * JOULE, PLUG: 10_000 * JOULE})])
    halves = [
        half_of(None if record.machine is None else record.machine.interval) for record in (whole, partly, never, blind)
    ]

    assert 0.9 * 0.02 * 41_000 == pytest.approx(halves[0])
    assert halves[0] < halves[1] < halves[2]
    assert 0.9 * 0.05 * 30_000 == pytest.approx(halves[3])


def test_chips_are_priced_where_nothing_is_known_of_the_machine() -> None:
    """The CO2e then has the interval of chips, times what is given."""
    record = record_of([part(0, {CARD: 3_600_000 * JOULE}, seconds=100, status=Status.COMPLETED)])

    assert record.machine is None
    assert 12 * 1.1 * 0.05 * 0.9 == pytest.approx(half_of(record.carbon.interval))


def test_a_run_without_energy_has_no_interval() -> None:
    """There is nothing to be uncertain of."""
    assert record_of([part(0, {}, status=Status.COMPLETED)]).carbon.interval is None


def test_hosts_without_chips_count() -> None:
    """A rank may meter nothing of its host, whose rest is there all the same."""
    empty = replace(run({}), header=replace(run({}).header, rank=1, host_id="another"))
    record = record_of([run({CARD: 30_000 * JOULE}), empty])
    assert record.machine is not None
    assert record.machine.interval is not None

    assert record.machine.interval.low < record.machine.joules < record.machine.interval.high
    assert 30_000 * 1.15 + 2 * 50 * 100 == pytest.approx(record.machine.joules)


def stored(record: RunRecord) -> dict[str, dict[str, dict[str, object]]]:
    """A record as it is stored."""
    return to_mapping(record)


def test_an_interval_is_read_back_and_an_impossible_one_is_refused() -> None:
    """Ends in order, for a probability; a record of before has none."""
    upside_down, sure, former, one_sided = (stored(FULL) for _ in range(4))
    upside_down["energy"]["interval"]["low"] = 99_999.0
    sure["carbon"]["interval"]["level"] = 90
    one_sided["energy"]["interval"]["causes"] = {"gpu H100": [3.0]}
    del former["machine"]["interval"]
    read = from_mapping(former)

    assert FULL.energy.interval == read.energy.interval
    assert read.machine is not None
    assert read.machine.interval is None
    with pytest.raises(RecordError, match=r"energy\.interval\.low is 99999, above the upper end, 14400"):
        from_mapping(upside_down)
    with pytest.raises(RecordError, match=r"carbon\.interval\.level is 90, where a figure from 0 to 1"):
        from_mapping(sure)
    with pytest.raises(RecordError, match=r"energy\.interval\.causes has a cause without two ends"):
        from_mapping(one_sided)

"""Energy that was no training is named, with what to try."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.condition import ConditionSum, GaugeSum
from lightning_carbon.records.journal import PartBeat, PhaseBeat, RankPart
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.summary import summarise
from lightning_carbon.records.totals import Totals
from lightning_carbon.records.waste import HINTS, WORDS, WasteKind, lost_work, with_lost
from lightning_carbon.records.waste_said import waste_words
from tests.unit.records.parts import SECOND, domain, part
from tests.unit.records.samples import FULL

if TYPE_CHECKING:
    from lightning_carbon.records.waste import Waste
    from tests.nvml_standin import Standin

GPU = domain("gpu:0")
KILOJOULE = 1_000_000_000


def rank(number: int = 0, *, steps: int = 50, gpu: str = "gpu:0", world: int = 1, **changes: object) -> RankPart:
    """A rank that has trained for 100 s at 100 W on a GPU of its own."""
    made = part(number, {domain(gpu): 10 * KILOJOULE}, seconds=100, steps=steps, world=world)
    return RankPart(made.header, replace(made.beat, **changes))  # type: ignore[arg-type]


def found(*ranks: RankPart) -> dict[str, Waste]:
    """What the record of some ranks names, by kind."""
    return {waste.kind: waste for waste in record_of(ranks).waste}


def phases(**seconds: int) -> dict[str, PhaseBeat]:
    """Phases of so many seconds at 100 W."""
    return {name: PhaseBeat(s * SECOND, (s * KILOJOULE // 10,), (s * SECOND,)) for name, s in seconds.items()}


def parts(**seconds: int) -> dict[str, dict[str, PartBeat]]:
    """Parts of training of so many seconds at 100 W."""
    return {"train": {name: PartBeat(s * SECOND, (s * KILOJOULE // 10,)) for name, s in seconds.items()}}


def watched(*, seconds: int = 100, busy: int = 100, limit: float | None = None, **reasons: int) -> ConditionSum:
    """A GPU that was watched, busy and throttled for so many seconds."""
    held = {name: s * SECOND for name, s in reasons.items()}
    gauges = {} if limit is None else {"power_limit_watts": GaugeSum(SECOND, limit, limit, limit)}
    ns = seconds * SECOND
    return ConditionSum(gauges, ns, max(held.values(), default=0), held, ns, busy * SECOND)


def test_a_clean_run_names_nothing() -> None:
    """All figures below their thresholds."""
    clean = rank(
        phases=phases(setup=20, train=80, validate=10, checkpoint=2),
        parts=parts(data=4, forward=30, backward=46),
        conditions=(watched(busy=90, power_cap=20, heat=2),),
    )

    assert {} == found(clean)


def test_waiting_for_data_is_exact_where_steps_have_parts() -> None:
    """Its energy is that of the part, its share that of the run."""
    waste = found(rank(parts=parts(data=30, forward=30, backward=40)))["data"]

    assert (3_000.0, 0.3, 30.0) == pytest.approx((waste.joules, waste.ratio, waste.seconds))
    assert "workers" in waste.hint


def test_idle_gpus_draw_what_idle_gpus_draw() -> None:
    """14 % of the limit, or the mean where that is less or no limit is known; waiting for data is not in it."""
    alone = found(rank(conditions=(watched(busy=40, limit=400.0),)))["idle"]
    unlimited = found(rank(conditions=(watched(busy=40),)))["idle"]
    divided = found(rank(conditions=(watched(busy=40),), parts=parts(data=9, forward=41, backward=50)))["idle"]

    assert (60 * 0.14 * 400.0, 60.0) == pytest.approx((alone.joules, alone.seconds))
    assert 60 * 100.0 == pytest.approx(unlimited.joules)
    assert 51 * 100.0 == pytest.approx(divided.joules)
    assert ('detail="step"' in alone.hint, 'detail="step"' in divided.hint) == (True, False)


@pytest.mark.parametrize("reason", ["heat", "hardware", "power_brake"])
def test_throttling_is_named_by_what_to_do(reason: str) -> None:
    """What the hardware does on its own is a matter of cooling and power supply, the limit one of choice."""
    hot = found(rank(conditions=(watched(**{reason: 10}),)))
    capped = found(rank(conditions=(watched(power_cap=40),)))

    assert {"heat": pytest.approx(1_000.0)} == {kind: waste.joules for kind, waste in hot.items()}
    assert {"power_cap": pytest.approx(4_000.0)} == {kind: waste.joules for kind, waste in capped.items()}


def test_gauges_that_were_read_too_few_times_name_nothing() -> None:
    """A single reading of a short run would stand for all of it."""
    assert {} == found(rank(conditions=(watched(seconds=1, busy=0, heat=1),)))
    assert {} == found(rank(conditions=(None,)))


def test_a_rank_that_the_others_wait_for_is_named() -> None:
    """Its energy is that of all who waited."""
    shares = {0: 20, 1: 20, 2: 60, 3: 30}
    ranks = [
        rank(number, gpu=f"gpu:{number}", world=4, parts=parts(forward=share, backward=100 - share))
        for number, share in shares.items()
    ]
    waste = found(*ranks)["straggler"]

    assert 2 == waste.rank
    assert (40 + 40 + 30) * 100.0 == pytest.approx(waste.joules)
    assert 110 / 3 == pytest.approx(waste.seconds)


@pytest.mark.parametrize("shares", [(30, 33, 31), (60, 60, 20), (None, 60, 20)])
def test_ranks_that_keep_up_or_do_not_tell_are_not_named(shares: tuple[int | None, ...]) -> None:
    """Noise, two slow ranks of three, and a rank whose steps have no parts name nobody."""
    ranks = [
        rank(
            number,
            gpu=f"gpu:{number}",
            world=3,
            parts={} if share is None else parts(data=1, forward=share, backward=99 - share),
        )
        for number, share in enumerate(shares)
    ]

    assert "straggler" not in found(*ranks)


def test_evaluation_and_saving_count_from_the_first_step_on() -> None:
    """The set-up of a young run does not hide them."""
    waste = found(rank(phases=phases(setup=500, train=60, validate=30, checkpoint=10)))

    assert {"validation": 3_000.0, "checkpoint": 1_000.0} == {k: pytest.approx(w.joules) for k, w in waste.items()}
    assert ["validation", "checkpoint"] == list(waste)


def test_a_rank_that_was_never_in_a_phase_has_no_energy_in_it() -> None:
    """The first rank alone may save; the others only wait, in training, and a rank may tell no parts."""
    saving = rank(0, world=2, phases=phases(train=80, checkpoint=20), parts=parts(data=20, forward=60))
    other = rank(1, gpu="gpu:1", world=2, conditions=(watched(busy=10),), phases=phases(setup=100))
    waste = found(saving, other)

    assert {"checkpoint": 2_000.0, "data": 2_000.0} == {k: pytest.approx(w.joules) for k, w in waste.items()}


@pytest.mark.parametrize("beat", [{"steps": 9}, {"phases": phases(setup=100)}, {"phases": phases(train=0)}])
def test_a_run_that_has_hardly_begun_names_nothing(beat: dict[str, object]) -> None:
    """The first steps are slow for reasons of their own."""
    assert {} == found(rank(parts=parts(data=90, forward=10), **{"steps": 50, **beat}))  # type: ignore[arg-type]


def test_lost_work_is_what_attempts_used_beyond_the_lineage() -> None:
    """Known again after every look at the ledger, and in the list once."""
    lost = lost_work(Totals(8 * KILOJOULE), Totals(10 * KILOJOULE))
    again = lost_work(Totals(8 * KILOJOULE), Totals(16 * KILOJOULE))

    assert lost is not None
    assert (2_000.0, 0.2) == pytest.approx((lost.joules, lost.ratio))
    assert again is not None
    assert (again,) == with_lost(with_lost((), lost), again)
    assert () == with_lost((lost,), None)


@pytest.mark.parametrize(
    ("lineage", "spent"),
    [
        (None, Totals(1)),
        (Totals(1), None),
        (Totals(None), Totals(1)),
        (Totals(0), Totals(0)),
        (Totals(999), Totals(1000)),
    ],
)
def test_work_that_is_not_known_to_be_lost_is_not_named(lineage: Totals | None, spent: Totals | None) -> None:
    """Unknown totals, none, and less than a hundredth."""
    assert lost_work(lineage, spent) is None


def test_padding_is_its_share_of_training() -> None:
    """Of all ranks together, whoever has more of it; validation is not in it."""
    trained = phases(train=80, validate=10, setup=10)
    alone = found(rank(phases=trained, tokens=600, padding=200))["padding"]
    both = found(rank(world=2, padding=400, tokens=600), rank(1, gpu="gpu:1", world=2, padding=200, tokens=800))

    assert (2_000.0, 0.2, 20.0) == pytest.approx((alone.joules, alone.ratio, alone.seconds))
    assert "length" in alone.hint
    assert 0.3 * 20_000.0 == pytest.approx(both["padding"].joules)


@pytest.mark.parametrize(("tokens", "padding"), [(None, 0), (0, 0), (1000, 0), (950, 50)])
def test_little_padding_and_unknown_padding_are_not_named(tokens: int | None, padding: int) -> None:
    """Rounding lengths up has some in any training."""
    assert {} == found(rank(tokens=tokens, padding=padding))


def test_every_kind_has_words_and_something_to_try() -> None:
    """Nobody is told of waste without what to do."""
    assert set(WasteKind) == set(WORDS) == set(HINTS)


def test_a_record_keeps_it_and_the_summary_says_it() -> None:
    """With its energy, its time, its share and what to try."""
    record = record_of([rank(parts=parts(data=30, forward=30, backward=40))])
    text = " ".join(summarise(record).split())

    assert record.waste == from_mapping(to_mapping(record)).waste
    assert f"Waste {waste_words(record.waste[0])}" in text
    assert f"try: {HINTS[WasteKind.DATA]}" in text


def test_words_have_energy_time_and_share() -> None:
    """Of lost work, no time is known, and its share is of all attempts."""
    [waste] = record_of([rank(parts=parts(data=30, forward=30, backward=40))]).waste
    lost = lost_work(Totals(8 * KILOJOULE), Totals(10 * KILOJOULE))

    assert lost is not None
    assert "waiting for data: 3.00 kJ in 30.0 s, 30.0 %" == waste_words(waste)
    assert "work that was lost: 2.00 kJ, 20.0 % of all attempts" == waste_words(lost)
    assert waste_words(replace(waste, kind="straggler", rank=3)).startswith("waiting for the slowest rank, rank 3: ")


def test_lost_work_of_a_resumed_training_is_in_its_summary() -> None:
    """Of all attempts, since it is no part of this run."""
    lost = lost_work(FULL.lineage, FULL.spent)
    assert lost is not None

    assert f"{waste_words(lost)}" in " ".join(summarise(replace(FULL, waste=(lost,))).split())


def test_faults_are_named_and_clean_trainings_are_not(nvml_standin: Standin) -> None:
    """One training of 50 steps with each fault, and a clean one, on the stand-in; `make bench` has 200 of each sort."""
    from tests.waste.tables import found_by

    results = found_by(7, nvml_standin, count=1, without=1)

    assert [1] * len(results) == [sort.right for sort in results]

"""The study's Table 4 from runs: totals, and which runs are the model and the sweep."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.prices import CloudPrice, price_for
from lightning_carbon.records.run import RunRecord
from lightning_carbon.records.totals import Attempt, Totals
from lightning_carbon.study.development.development import Development, DevelopmentPart, Prices, development_of, stem_of
from lightning_carbon.study.development.jobs import Job, job_of
from lightning_carbon.study.development.sheets import development_mapping, development_sheets
from lightning_carbon.study.printed import Printed
from lightning_carbon.study.published.study import strubell2019
from tests.developments import DAYS, GPU_HOURS, JOBS, Drawn, record_of, records

if TYPE_CHECKING:
    from collections.abc import Sequence

METHOD = strubell2019().method
PRICES = Prices(METHOD.electricity, lambda name: price_for(name, METHOD.cloud))
FREE = Prices(None, lambda _: None)


def run(name: str | None, number: int, *, status: str = "completed", hours: int = 1, gpus: int = 1) -> RunRecord:
    """A run of so many hours at 200 W for each GPU; a later number began later."""
    seconds = hours * 3_600
    drawn = Drawn("x", gpus, seconds, 200 * seconds * gpus * 1_000_000, number * 86_400, status)
    return replace(record_of(drawn, number), run_name=name)


def of(runs: Sequence[RunRecord], model: str | None = None, sweep: str | None = None) -> Development:
    """The development that these runs are."""
    return development_of("lisa", [job_of(record) for record in runs], PRICES, model=model, sweep=sweep)


def part(development: Development, name: str) -> DevelopmentPart | None:
    """One of its rows, where it is there."""
    return next((part for part in development.parts if part.id == name), None)


@cache
def whole() -> Development:
    """The development of 4,789 runs, priced as the study did."""
    return development_of("lisa", [job_of(record, METHOD) for record in records()], PRICES)


@pytest.mark.parametrize(("name", "row"), [("model", 0), ("sweep", 1), ("everything", 2)])
def test_the_totals_are_the_study_s(name: str, row: int) -> None:
    """One model, one sweep of 24, and all 4,789 runs close to every digit that the study printed."""
    found, facts = part(whole(), name), strubell2019().development[row]

    assert found is not None
    assert facts.jobs == found.jobs
    assert facts.accelerator_hours == pytest.approx(found.gpu_hours)
    assert facts.printed.closes(found.computed) is True


def test_the_totals_are_those_of_the_press_and_of_table_1() -> None:
    """78,468 lb in all, 239,942 GPU-hours, over 172 days, in 4,789 runs."""
    found = whole()

    assert Printed("78468").closes(found.whole.computed.co2e_lbs)
    assert JOBS == found.whole.jobs
    assert DAYS == pytest.approx(found.days)
    assert found.whole.gpu_hours == pytest.approx(GPU_HOURS)
    assert found.whole.hours < GPU_HOURS
    assert 123 == found.sweeps


def test_a_range_comes_of_what_is_uncertain() -> None:
    """Five per cent of the sensors, since the study's constants have no range."""
    row = whole().whole
    assert row.range is not None
    assert row.range.co2e_kg is not None

    assert (0.95, 1.05) == pytest.approx([end / (row.computed.co2e_kg or 0) for end in row.range.co2e_kg], abs=1e-9)


statuses = st.sampled_from(["completed", "failed", "interrupted", "running", "lost"])
names = st.sampled_from([None, "final", "trial-1", "trial-2", "trial 3", "lr_0", "lr_1", "7"])


@given(st.lists(st.tuples(names, statuses, st.integers(0, 400), st.integers(1, 8)), min_size=1, max_size=12))
def test_everything_is_the_sum_of_its_parts(drawn: list[tuple[str | None, str, int, int]]) -> None:
    """However runs ended and however long they took, shares add up to all of them, and no row exceeds everything."""
    runs = [
        run(name, number, status=status, hours=hours, gpus=gpus)
        for number, (name, status, hours, gpus) in enumerate(drawn)
    ]
    found = of(runs)

    for shares in (found.statuses, found.by_length):
        assert len(runs) == sum(share.jobs for share in shares)
        assert found.whole.hours == pytest.approx(sum(share.hours for share in shares))
        assert sum(share.job_ratio for share in shares) == pytest.approx(1)
        if all(share.energy_ratio is not None for share in shares):
            assert sum(share.energy_ratio or 0.0 for share in shares) == pytest.approx(1)
    for part in found.parts:
        assert part.jobs <= found.whole.jobs
        assert (part.kwh or 0) <= (found.whole.kwh or 0) + 1e-9
    assert 3 == len(development_sheets(found, ()))


def test_the_model_is_the_last_run_that_completed() -> None:
    """Later ones that failed, or have not ended, are not; and the reason is said."""
    runs = [run("a", 1), run("b", 2), run("c", 3, status="failed"), run("d", 4, status="running")]
    found = of(runs)

    assert runs[1].run_id == found.model
    assert "the last that completed" in found.why_model
    assert [("model", 1), ("everything", 4)] == [(part.id, part.jobs) for part in found.parts]


def test_without_a_run_that_completed_there_is_no_model() -> None:
    """The row is absent, and it is said why; everything is still told."""
    found = of([run("a", 1, status="failed"), run("b", 2, status="interrupted")])

    assert found.model is None
    assert ["everything"] == [part.id for part in found.parts]
    assert "no run has completed" in found.why_model


@pytest.mark.parametrize("form", ["id", "beginning", "name"])
def test_the_model_can_be_named(form: str) -> None:
    """By its id, by what only its id begins with, or by its name."""
    runs = [run("first", 1, status="failed"), run("second", 2)]
    text = {"id": runs[0].run_id, "beginning": runs[0].run_id[:10], "name": "first"}[form]
    found = of(runs, model=text)

    assert (runs[0].run_id, f"run {runs[0].run_id}, as given") == (found.model, found.why_model)


@pytest.mark.parametrize(
    ("model", "sweep", "said"),
    [
        ("nothing", None, "model='nothing' cannot be used: no run of the project"),
        ("", None, "model='' cannot be used: no run of the project"),
        ("same", None, "model='same' cannot be used: 7 runs can be meant"),
        (None, "nothing-*", "sweep='nothing-*' cannot be used: no run of the project has such a name ('same'"),
    ],
)
def test_what_is_not_there_or_not_clear_is_refused(model: str | None, sweep: str | None, said: str) -> None:
    """The message names what was given, and what would do."""
    with pytest.raises(ConfigError) as caught:
        of([run("same", number) for number in range(7)], model, sweep)

    assert str(caught.value).startswith(said.split("(", maxsplit=1)[0])


def test_a_model_that_was_resumed_has_all_of_its_attempts() -> None:
    """What the crash cost belongs to the training; other runs do not."""
    first, other = run("final", 1, status="interrupted", hours=5), run("other", 2)
    attempts = (Attempt(first.run_id, None, Totals(1_000_000, 1.0), "interrupted"),)
    last = replace(run("final", 3, hours=7), origin=first.run_id, attempts=attempts)
    found = of([first, other, last])
    model = part(found, "model")

    assert model is not None
    assert (2, 12.0) == (model.jobs, model.hours)
    assert part(found, "sweep") is None  # two attempts at one training are no sweep


def test_the_sweep_is_the_one_that_the_model_belongs_to() -> None:
    """Even where another one is larger."""
    runs = [*(run(f"search-{number}", number) for number in range(5)), run("final-1", 8), run("final-2", 9)]
    found = part(of(runs), "sweep")

    assert found is not None
    assert (2, "one sweep: final") == (found.jobs, found.name)


def test_else_the_sweep_is_the_largest() -> None:
    """A model of its own name, after two searches."""
    runs = [
        *(run(f"small-{number}", number) for number in range(2)),
        *(run(f"large_{number}", 10 + number) for number in range(3)),
        run("final", 20),
    ]
    found = of(runs)
    sweep = part(found, "sweep")

    assert sweep is not None
    assert (3, "one sweep: large", 2) == (sweep.jobs, sweep.name, found.sweeps)
    assert found.why_sweep.startswith("the largest of 2 by names")


@pytest.mark.parametrize(("sweep", "jobs"), [("small-*", 2), ("small", 2), ("*", 6), ("large_?", 3), ("final", 1)])
def test_the_sweep_can_be_named(sweep: str, jobs: int) -> None:
    """With signs for what differs, or without the number at the end."""
    runs = [
        *(run(f"small-{number}", number) for number in range(2)),
        *(run(f"large_{number}", 10 + number) for number in range(3)),
        run("final", 20),
        run(None, 21),
    ]
    found = part(of(runs, sweep=sweep), "sweep")

    assert found is not None
    assert (jobs, f"one sweep: {sweep}") == (found.jobs, found.name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("trial-017", "trial"), ("trial 3", "trial"), ("lr=0.1-seed3", "lr=0.1-seed"), ("final", "final"), ("12", "")],
)
def test_a_stem_is_a_name_without_the_number_at_its_end(name: str, stem: str) -> None:
    """With what parts them."""
    assert stem == stem_of(name)


def test_runs_without_energy_count_with_their_hours() -> None:
    """Nothing is taken for zero, and the table says how many they are."""
    runs = [run("a-1", 1), run("a-2", 2)]
    nothing = replace(runs[1], energy=replace(runs[1].energy, total_joules=None))
    found = of([runs[0], nothing])
    row = found.whole

    assert (2, 1, 2.0) == (row.jobs, row.unmetered, row.hours)
    assert row.kwh == pytest.approx(0.2)
    assert any("could be metered in 1 of 2 runs" in note for note in development_sheets(found, ())[0].notes)
    alone = of([nothing]).whole
    assert (None, None, None) == (alone.kwh, alone.range, alone.computed.co2e_kg)
    assert alone.computed.cloud_usd is not None  # the hours were taken all the same


def test_runs_without_a_gpu_have_no_gpu_hours_and_no_cost_in_a_cloud() -> None:
    """Absent, and said."""
    record = run("cpu", 1)
    domains = tuple(domain for domain in record.energy.domains if domain.kind != "gpu")
    found = of([replace(record, energy=replace(record.energy, domains=domains))])

    assert (None, None) == (found.whole.gpu_hours, found.whole.computed.cloud_usd)
    assert any("No run had a GPU" in note for note in development_sheets(found, ())[0].notes)


def test_a_gpu_without_a_price_leaves_the_cost_absent() -> None:
    """Rather than leave it out of a sum; its name is told."""
    record = run("a", 1)
    odd = tuple(
        replace(domain, name="Voodoo 2") if domain.kind == "gpu" else domain for domain in record.energy.domains
    )
    found = of([run("b", 2), replace(record, energy=replace(record.energy, domains=odd))])

    assert (None, ("Voodoo 2",)) == (found.whole.computed.cloud_usd, found.whole.unpriced)
    assert any("known of Voodoo 2" in note for note in development_sheets(found, ())[0].notes)


def test_a_slice_of_a_metered_gpu_is_no_second_gpu() -> None:
    """Nor has a slice alone a price."""
    record = run("a", 1)
    gpu = record.energy.domains[0]
    part_of_it = replace(gpu, id="gpu:MIG-1", name="Tesla P100 MIG 1g.5gb", parent=gpu.id)
    job = job_of(replace(record, energy=replace(record.energy, domains=(*record.energy.domains, part_of_it))))

    assert 1.0 == job.gpu_hours
    assert price_for("NVIDIA A100 MIG 1g.5gb", {"A100": CloudPrice(1, 2, "a test", 2020)}) is None


def test_each_run_is_priced_as_its_record_says() -> None:
    """Two sites, two factors: the sum is of the records' own grams."""
    clean = run("a", 1)
    carbon = replace(clean.carbon, intensity=replace(clean.carbon.intensity, value=10.0, low=10.0, high=10.0))
    cleaner = replace(clean, run_id="other", carbon=carbon)
    found = of([clean, cleaner]).whole

    assert (clean.carbon.grams_co2e or 0) * (1 + 10 / 384.4) / 1e3 == pytest.approx(found.computed.co2e_kg)


def test_runs_that_go_on_are_counted_as_far_as_they_have_come() -> None:
    """And the table says so."""
    found = of([run("a", 1), run("b", 2, status="running", hours=3)])

    assert 4.0 == found.whole.hours
    assert any("1 of 2 runs" in note for note in development_sheets(found, ())[0].notes)


def test_without_a_price_there_is_no_cost() -> None:
    """And the rest of the row is as it was."""
    jobs: list[Job] = [job_of(run("a", 1))]
    found = development_of("lisa", jobs, FREE)

    assert (None, None) == (found.whole.computed.cloud_usd, found.whole.computed.electricity_usd)
    assert found.whole.range is not None
    assert found.whole.range.electricity_usd is None


def test_a_moment_s_development_has_no_runs_a_day() -> None:
    """One run of no length spans no days, which nothing is divided by."""
    found = of([run("a", 1, hours=0)])

    assert 0.0 == found.days
    assert "a day" not in development_sheets(found, ())[1].notes[0]


def test_a_time_without_a_zone_is_utc() -> None:
    """As every record's are."""
    record = run("a", 1)

    assert job_of(record).started == job_of(replace(record, started_at=record.started_at.removesuffix("Z"))).started


def test_plain_values_have_what_the_tables_show() -> None:
    """Rows, days, jobs, the share that failed, lengths."""
    mapping = development_mapping(whole(), "strubell2019", ["as it was"])

    assert ["model", "sweep", "everything"] == [row["id"] for row in mapping["rows"]]
    assert 9870 == round(mapping["rows"][2]["computed"]["electricity_usd"])
    assert (JOBS, DAYS) == (mapping["jobs"], round(mapping["days"], 6))
    assert 0.05 < mapping["failed_ratio"] < 0.15
    assert {"least", "median", "mean", "most"} == set(mapping["job_hours"])
    assert "as it was" in mapping["notes"]


def test_a_short_development_reads_as_one() -> None:
    """Seconds rather than tiny shares of days and hours, and no rows for lengths that no run had."""
    first, spans, lengths = development_sheets(of([run("a-1", 0), run("a-2", 0)]), ())

    assert spans.notes[0].startswith("2 runs over 1 h 0 min, 2018-08-01 to 2018-08-01.")
    assert ["1 to 6 h"] == [cells[0] for cells in lengths.rows]
    assert ("Shortest 1 h 0 min, median 1 h 0 min, mean 1 h 0 min, longest 1 h 0 min.",) == lengths.notes
    assert first.rows[-1][4].startswith("0.616 (")  # 2 x 0.2 kWh x 1.54


def test_what_was_modelled_is_told_apart() -> None:
    """A third of the energy, and the table says that no sensor stands behind it; of measured energy nothing is said."""
    measured, other = run("a", 1), run("b", 2)
    guessed = replace(
        other, energy=replace(other.energy, measured_joules=0.0, modelled_joules=other.energy.total_joules or 0.0)
    )
    found = of([measured, measured, guessed])

    assert found.whole.modelled_ratio == pytest.approx(1 / 3)
    assert any("33.3 % of the energy" in note for note in development_sheets(found, ())[0].notes)
    assert not any("Modelled" in note for note in development_sheets(of([measured]), ())[0].notes)

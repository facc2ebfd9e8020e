"""Statements of a project: golden files, figures that follow from the records, and what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.intensity import MARGINAL, MARKET, Intensity
from lightning_carbon.carbon.interval import Interval
from lightning_carbon.carbon.interval_sums import interval_around
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.accounting import market_of, scopes_of
from lightning_carbon.records.run import CarbonRecord, RunRecord, Status
from lightning_carbon.report.sheets import as_markdown
from lightning_carbon.report.statements.afnor import afnor
from lightning_carbon.report.statements.consumption import Consumption, consumption_of, listed
from lightning_carbon.report.statements.embodied import EmbodiedShare, embodied_of, share_of
from lightning_carbon.report.statements.eu_ai_act import eu_ai_act
from lightning_carbon.report.statements.ghg import ghg
from lightning_carbon.report.statements.paper import paper
from lightning_carbon.report.statements.sci import FunctionalUnit, sci
from lightning_carbon.report.statements.scopes import ScopeShare, shares_of
from lightning_carbon.report.statements.statement import Statement
from lightning_carbon.report.statements.work import arithmetic_of
from tests.unit.records.samples import FULL, GIVEN_PUE, NOTHING, SMALL

GOLDEN = Path(__file__).parents[3] / "data" / "statements"
DAY = replace(FULL, duration_seconds=86_400.0)
FAILED = replace(FULL, run_id="20261121T111112-77aa", status=Status.FAILED, duration_seconds=10.0, ended_at=None)
SPLIT_GRID = Intensity(
    300.0, 280.0, 320.0, "Ember", 2024, "life-cycle, generation", "DEU", assumed=False, direct=250.0, upstream=50.0
)
CONTRACT = Intensity(0.0, 0.0, 0.0, "given", None, "as given", "custom", assumed=False, accounting=MARKET)
PRICED = FULL.priced_energy
assert PRICED is not None
PLACED = footprint(PRICED, GIVEN_PUE, SPLIT_GRID)
SPLIT = replace(
    FULL,
    carbon=CarbonRecord(
        PLACED.value.grams,
        PLACED.low.grams,
        PLACED.high.grams,
        SPLIT_GRID,
        GIVEN_PUE,
        market=market_of(PRICED, GIVEN_PUE, CONTRACT),
        scopes=scopes_of(PRICED.value, GIVEN_PUE, SPLIT_GRID),
        interval=interval_around(PLACED.value.grams, {"grid DEU": (0.1, 0.1), "gpu H100": (0.05, 0.05)}),
    ),
)
PROJECT = consumption_of("lisa", [DAY, FAILED])
WORK = arithmetic_of(None, 1.1e8, PROJECT.tokens)
STATEMENTS = {
    "paper": paper(PROJECT, WORK),
    "eu-ai-act": eu_ai_act(PROJECT, WORK),
    "sci": sci(PROJECT, share_of(PROJECT)),
    "afnor": afnor(PROJECT, share_of(PROJECT)),
    "ghg": ghg(consumption_of("lisa", [SPLIT, FAILED])),
}


@pytest.mark.parametrize("form", STATEMENTS)
def test_a_statement_is_that_of_the_golden_file(form: str) -> None:
    """With the arithmetic behind it; the file is for reading, too."""
    statement = STATEMENTS[form]
    text = "\n\n".join([*filter(None, [statement.text]), *map(as_markdown, statement.sheets(trace=True))])

    assert (GOLDEN / f"{form}.md").read_text(encoding="utf-8") == text + "\n"


@pytest.mark.parametrize("form", STATEMENTS)
def test_a_statement_survives_json(form: str) -> None:
    """As plain values, each field with its number and arithmetic."""
    plain = STATEMENTS[form].as_mapping()

    assert plain == json.loads(json.dumps(plain))
    assert form == plain["form"]


def test_a_paper_has_the_size_of_the_models_that_records_know() -> None:
    """What is frozen is told from what is trained; unknown, it is among what is missing."""
    known, unknown = (paper(consumption_of("lisa", [run]), None) for run in (FULL, replace(FULL, model=None)))

    assert "294,912 of 124,734,720 parameters trained" in [entry.value for entry in known.entries]
    assert ("add it", "add them") == (known.missing[-1][-6:], unknown.missing[-1][-8:])
    assert "model" not in [entry.name for entry in unknown.entries]


def number(statement: Statement, name: str) -> float:
    """The number of a field."""
    found = next(entry.number for entry in statement.entries if entry.name.startswith(name))
    assert found is not None
    return found


def test_figures_follow_from_the_records() -> None:
    """Energy is the sum of both runs times their PUE, failed or not."""
    joules = 2 * 16_815.2 * 1.54

    assert number(STATEMENTS["paper"], "kWh x PUE") == pytest.approx(joules / 3.6e6)
    assert number(STATEMENTS["eu-ai-act"], "2(e) energy") == pytest.approx(joules / 3.6e9)
    assert number(STATEMENTS["sci"], "E,") == pytest.approx(joules / 3.6e6)
    assert number(STATEMENTS["eu-ai-act"], "2(d) compute") == pytest.approx(6 * 1.1e8 * 2 * 1_228_800)


def test_a_score_adds_the_embodied_share_and_divides_by_the_unit() -> None:
    """A day of an H100 at 273 kg, four years and 85 % of use."""
    grams = 273_000 * (86_400 + 10) / (4 * 365.25 * 86_400 * 0.85)
    scores = {unit: sci(PROJECT, share_of(PROJECT), unit=unit, arithmetic=WORK) for unit in FunctionalUnit}

    assert number(scores[FunctionalUnit.RUN], "M,") == pytest.approx(grams)
    assert number(scores[FunctionalUnit.RUN], "SCI") == pytest.approx((2 * 3.404 + grams) / 2)
    assert number(scores[FunctionalUnit.STEP], "R,") == 2_400
    assert share_of(PROJECT, 2.0).grams.value == pytest.approx(2 * grams)


def test_the_climate_has_both_parts_or_says_that_it_does_not() -> None:
    """Electricity and the making of the accelerators add up; of other hardware, the second is not known, and not 0."""
    known, unknown = STATEMENTS["afnor"], afnor(PROJECT, EmbodiedShare(Bounds.exactly(0.0), (), ("Board",)))
    parts = number(known, "Climate: electricity") + number(known, "Climate: making")

    assert number(known, "Climate: both") == pytest.approx(parts)
    assert number(known, "Electricity at") == pytest.approx(number(STATEMENTS["sci"], "E,"))
    assert ("Climate: making of the accelerators", "not known") == (unknown.entries[-1].name, unknown.entries[-1].value)
    assert "the making of Board: no published figure is in the table" in unknown.missing


def test_a_unit_that_was_not_counted_is_refused() -> None:
    """The units that were counted are named."""
    usage = consumption_of("lisa", [SMALL])

    assert "R, functional unit: run" in [entry.name for entry in sci(usage, share_of(usage)).entries]
    with pytest.raises(ConfigError, match=r"unit='sample'.*give one of step, run\."):
        sci(usage, share_of(usage), unit=FunctionalUnit.SAMPLE)


def test_an_accelerator_without_a_published_figure_is_missing() -> None:
    """Names of drivers are understood by their words."""
    usage = consumption_of("lisa", [SMALL])
    known = embodied_of("NVIDIA A100-SXM4-80GB")

    assert known is not None
    assert (127.6, 150.0, 567.7) == (known.kilograms.low, known.kilograms.value, known.kilograms.high)
    assert (None, ("GPU 0",)) == (embodied_of("GPU 0"), share_of(usage).unknown)
    assert "M of GPU 0: no published figure is in the table" in sci(usage, share_of(usage)).missing


def test_what_nobody_gave_is_missing() -> None:
    """Of operations, the options that give them; of hardware that no sensor saw, its names."""
    for statement in (paper(PROJECT, None), eu_ai_act(PROJECT, None)):
        assert any("give --flop" in text for text in statement.missing)
        assert any("package 0; package 1" in text for text in statement.missing)


def test_runs_without_energy_are_counted_and_named() -> None:
    """A project of nothing else has nothing to state."""
    without = replace(FULL, energy=NOTHING.energy, carbon=NOTHING.carbon, machine=None)
    usage = consumption_of("lisa", [FULL, without])

    assert (2, 1) == (usage.runs, usage.without_energy)
    assert any("1 runs that could not be metered" in text for text in eu_ai_act(usage, None).missing)
    for records in ([], [without]):
        with pytest.raises(ConfigError, match="there is nothing to state"):
            consumption_of("lisa", records)


def test_ranges_are_bounds_where_a_run_has_no_interval() -> None:
    """As one that goes on, or of an earlier version, whose causes are not known; and the note says which they are."""
    former = replace(FULL, energy=replace(FULL.energy, interval=Interval(12_700.0, 14_400.0, 0.9, "Monte Carlo")))
    chips_alone = replace(FULL, machine=None)
    machine = replace(FULL.machine, interval=former.energy.interval) if FULL.machine else None
    notes = [
        usage(record).caveats()[0] for record in (FULL, former, chips_alone, replace(FULL, machine=machine), SMALL)
    ]
    bounds = [
        sci(usage(record), EmbodiedShare(Bounds.exactly(0.0), (), ())).entries[-1].value for record in (FULL, former)
    ]

    assert [True, False, True, False, False] == [
        note.startswith("Ranges marked 90 % are 90 % intervals") for note in notes
    ]
    assert notes[1].startswith("Ranges are bounds")
    assert ["0.00277 gCO2e (0.000171 to 0.00661, 90 %) for 1,000 tokens", "0.00277 gCO2e (6.19e-05 to 0.0105)"] == [
        bounds[0],
        bounds[1].removesuffix(" for 1,000 tokens"),
    ]


def test_how_the_energy_came_about_is_said() -> None:
    """Measured, partly, or modelled alone."""

    def said(measured: float) -> str:
        return usage(replace(FULL, energy=replace(FULL.energy, measured_joules=measured))).came_about()

    whole = FULL.energy.total_joules or 0.0
    assert ["measured", "measured"] == [said(whole), said(whole * (1 - 1e-9))]
    assert "99% measured, the rest modelled" == said(whole * 0.9999)
    assert "1% measured, the rest modelled" == said(whole * 0.0001)
    assert "89% measured, the rest modelled" == said(12_000.5)
    assert "modelled, as no sensor could be read" == said(0.0)


def usage(record: RunRecord) -> Consumption:
    """The usage of a run."""
    return consumption_of("lisa", [record])


def test_arithmetic_is_given_or_worked_out() -> None:
    """Never both, and never from tokens that nobody counted."""
    given = arithmetic_of(1e18, None, None)

    assert given is not None
    assert (1e18, "given by the provider") == (given.flop, given.method)
    assert None is arithmetic_of(None, 1e8, None) is arithmetic_of(None, None, 1_000)
    with pytest.raises(ConfigError, match="--params is given too"):
        arithmetic_of(1e18, 1e8, 1)
    with pytest.raises(ConfigError, match="give a number above 0"):
        arithmetic_of(-1.0, None, None)


def test_scopes_are_never_netted_and_what_is_not_split_is_not_scope_2() -> None:
    """Each share has the runs that know it; a contract's zero takes nothing from the figure by place."""
    statement = STATEMENTS["ghg"]
    names = [entry.name for entry in statement.entries]
    kilowatt_hours = 16_815.2 * 1.1 / 3.6e6

    assert pytest.approx(kilowatt_hours * 250) == number(statement, ScopeShare.LOCATION)
    assert pytest.approx(0.0) == number(statement, ScopeShare.MARKET)
    assert pytest.approx(kilowatt_hours * 50) == number(statement, ScopeShare.UPSTREAM)
    assert pytest.approx(3.404) == number(statement, ScopeShare.TOGETHER)
    assert pytest.approx(kilowatt_hours * 300 + 3.404) == number(statement, "All of it by place")
    assert ScopeShare.UNKNOWN not in names
    assert any("market_intensity=" in text for text in statement.missing)


@pytest.mark.parametrize(
    ("factor", "share"),
    [
        (replace(SPLIT_GRID, basis="direct, generation"), ScopeShare.LOCATION),
        (replace(SPLIT_GRID, basis="as given"), ScopeShare.UNKNOWN),
        (replace(SPLIT_GRID, basis="direct, generation", signal=MARGINAL), ScopeShare.UNKNOWN),
        (replace(SPLIT_GRID, basis="direct, generation", accounting=MARKET), ScopeShare.UNKNOWN),
    ],
)
def test_a_factor_has_the_scope_of_what_it_counts(factor: Intensity, share: ScopeShare) -> None:
    """Direct emissions are Scope 2, by the average of a place alone."""
    record = replace(FULL, carbon=CarbonRecord(2.0, 1.9, 2.1, factor, GIVEN_PUE))

    assert [share] == [*usage(record).shares]
    assert 7 == shares_of([record] * 7)[share].runs
    assert "and 2 more runs" == shares_of([record] * 7)[share].trace[-1]
    assert {} == shares_of([NOTHING])
    missing = ghg(consumption_of("lisa", [FULL, NOTHING])).missing
    assert any("1 runs that could not be metered" in text for text in missing)


def test_many_values_are_cut() -> None:
    """With their number."""
    assert "a; b; c; d; e; 2 more" == listed(tuple("abcdefg"))

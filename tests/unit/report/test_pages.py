"""The pages of reports: what they say of a run and of several, and that text of users stays text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lightning_carbon.carbon.interval import Interval
from lightning_carbon.records.conditions import DeviceRecord
from lightning_carbon.records.course import Course, MetricPoint
from lightning_carbon.records.numbers import NOTHING as NO_FIGURE
from lightning_carbon.records.overlaps import Counted
from lightning_carbon.records.power_profile import PowerProfile, Strand, Stretch
from lightning_carbon.records.run import RunRecord
from lightning_carbon.records.sweeps import sweep_sum
from lightning_carbon.records.waste import Waste
from lightning_carbon.report.charts import energy_chart, metric_chart, power_chart, quality_chart, totals_chart
from lightning_carbon.report.pages.html import html_of
from lightning_carbon.report.pages.project_page import RunLine, periods, project_page, quality
from lightning_carbon.report.pages.run_page import run_page
from tests.unit.records.samples import FULL, NOTHING, SMALL
from tests.unit.records.test_sweeps import RUNS

GPU = Strand("gpu", is_modelled=False)
ATTACK = (
    "</script><script>window.attacked=1</script>\"'><img src=x onerror=window.attacked=1>"
    "\u202egnp.exe\u2066\x00\x1b[2J&amp;"
)


def course(phase: str = "train", metric: str = "loss") -> Course:
    """Two stretches and a metric."""
    stretches = (
        Stretch(0.0, 10.0, {GPU: 100.0}, {"setup": 10.0}),
        Stretch(10.0, 20.0, {GPU: 300.0}, {phase: 10.0}),
    )
    points = (MetricPoint(1, 1_000.0, 3.5), MetricPoint(2, 4_000.0, 2.25))
    return Course(PowerProfile(stretches), {metric: points})


def attacked() -> RunRecord:
    """A record whose every free text is an attack."""
    ranks = tuple(replace(rank, host=ATTACK) for rank in FULL.ranks)
    domains = tuple(replace(domain, name=ATTACK, method=ATTACK, lost=ATTACK) for domain in FULL.energy.domains)
    phases = {ATTACK: 300.1, "train": 13_245.6}
    absent = tuple(replace(finding, reason=ATTACK, fix=ATTACK) for finding in FULL.energy.absent)
    energy = replace(FULL.energy, domains=domains, phases=phases, absent=absent)
    intensity = replace(FULL.carbon.intensity, source=ATTACK, region=ATTACK)
    carbon = replace(FULL.carbon, intensity=intensity)
    return replace(FULL, run_name=ATTACK, project=ATTACK, ranks=ranks, energy=energy, carbon=carbon, location=ATTACK)


def line(number: int, *, joules: float | None = 3_600.0, status: str = "completed", name: str = "") -> RunLine:
    """A run of a project."""
    return RunLine(
        f"run {number}",
        "lisa",
        name or f"trial-{number}",
        status,
        f"2026-01-{number:02}T10:00:00Z",
        60.0,
        joules,
        joules or 0.0,
        1.0,
        0.5,
        2.0,
        Counted(f"run {number}", "lisa", ()),
    )


class Tags(HTMLParser):
    """The tags of a page, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attributes


def page_of(record: RunRecord, told: Course) -> str:
    """The page of a run, with all its charts."""
    charts = [
        power_chart(record, told),
        energy_chart(record, told),
        *(metric_chart(told, name) for name in told.metrics),
    ]
    return html_of(run_page(record), [chart for chart in charts if chart is not None], version="1", remarks=["late"])


def test_text_of_users_stays_text() -> None:
    """Tags, quotes, control characters and those that turn the direction of writing do nothing."""
    page = page_of(attacked(), course(ATTACK, ATTACK))
    found = Tags(page)

    assert 1 == found.tags.count("script")
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(page)


def test_a_page_of_runs_keeps_names_as_text_too() -> None:
    """As that of a run does."""
    page = project_page(ATTACK, [line(1, name=ATTACK), line(2, status="failed")], lambda _: f"/run/{ATTACK}")
    found = Tags(html_of(page, [], version="1"))

    assert (1, 0) == (found.tags.count("script"), found.tags.count("img"))


@pytest.mark.parametrize("record", [FULL, SMALL, NOTHING], ids=["full", "small", "nothing"])
def test_a_page_is_whole_without_anything_from_elsewhere(record: RunRecord) -> None:
    """Every record makes one, whose policy lets nothing be loaded."""
    page = page_of(record, course())
    found = Tags(page)
    loads = [value for name, value in found.attributes if name in {"src", "srcset", "xlink:href", "href"}]

    assert "default-src 'none'" in page
    assert all(value is not None and value.startswith(("#", "data:")) for value in loads)
    assert (1, 1) == (found.tags.count("h1"), found.tags.count("main"))


def test_charts_say_in_words_what_they_show() -> None:
    """People who cannot see them hear the same figures."""
    told = course()
    charts = [power_chart(FULL, told), energy_chart(FULL, told), metric_chart(told, "loss")]
    descriptions = " ".join(chart.description for chart in charts if chart is not None)

    assert "between 100 and 300 W" in descriptions
    assert "rising to 1.11 Wh" in descriptions
    assert "3.5 at first, 2.25 at the end" in descriptions


def test_ids_of_charts_on_a_page_differ() -> None:
    """A page has each id once, and references lead to the own chart."""
    page = page_of(FULL, course())
    ids = [value for name, value in Tags(page).attributes if name == "id"]

    assert len(ids) == len(set(ids))


def test_without_figures_there_is_no_chart() -> None:
    """An empty chart would only puzzle."""
    nothing = Course(PowerProfile(()), {"loss": (MetricPoint(1, 1.0, 1.0),)})

    assert [None] * 3 == [power_chart(FULL, nothing), energy_chart(FULL, nothing), metric_chart(nothing, "loss")]
    assert [None] * 2 == [quality_chart("loss", [(1.0, 1.0)]), totals_chart([], [], [])]


def test_a_report_says_what_a_record_knows_and_assumes() -> None:
    """Headline, tables and sources have the figures of the record."""
    page = run_page(FULL)
    sources = " ".join(page.sources)
    titles = [table.title for table in page.tables]

    assert "3.76 Wh" == page.headlines[0].value
    assert "Work lost to crashes" in titles
    assert "Ranks side by side" in titles
    assert "The region is assumed" in sources
    assert "run 20260101" not in sources
    assert "which metered the same hardware" in sources


def test_headlines_have_the_interval_and_a_sentence_has_the_bounds() -> None:
    """A record of before shows its bounds in both places, and says what they are."""
    known = run_page(FULL)
    bare = replace(
        FULL, machine=None, energy=replace(FULL.energy, interval=None), carbon=replace(FULL.carbon, interval=None)
    )
    former = run_page(bare)

    assert ["3.53 to 4.00 Wh (90 %); 88.6 % measured", "4.19 to 5.14 Wh (90 %); chips and the rest of machines"] == [
        headline.note for headline in known.headlines[:2]
    ]
    assert "at their worst together: chips 3.38 to 4.14 Wh, machines 3.71 to 5.37 Wh, CO2e 0.0761 to" in " ".join(
        known.sources
    )
    assert "3.38 to 4.14 Wh; 88.6 % measured" == former.headlines[0].note
    assert "they are no confidence intervals" in " ".join(former.sources)


def test_work_lost_to_crashes_is_what_was_spent_and_kept_by_no_checkpoint() -> None:
    """Lost and kept add up to all."""
    [table] = [table for table in run_page(FULL).tables if table.title == "Work lost to crashes"]
    joules = [row[1].key for row in table.rows]

    assert [17_545.7, 1_000.0, 18_545.7] == pytest.approx(joules, abs=1e-6)


def test_totals_of_runs_are_those_of_their_lines() -> None:
    """Energy by day, what failed, and the sweeps of runs whose names differ by a number."""
    lines = [line(1), line(2, status="failed"), line(3, joules=None), line(4, name="other")]
    page = project_page("lisa", lines)
    tables = {table.title: table for table in page.tables}

    assert (["2026-01-01", "2026-01-02"], [3_600.0, 3_600.0], [0.0, 3_600.0]) == tuple(
        figures[:2] for figures in periods(lines)
    )
    likely = project_page("lisa", lines, likely_grams=Interval(3.0, 5.0, 0.9, "squares of causes"))

    assert ("energy", "3.00 Wh") == page.headlines[1][:2]
    assert ["2.00 to 8.00 gCO2e", "3.00 to 5.00 gCO2e (90 %)"] == [shown.headlines[2].note for shown in (page, likely)]
    assert any("at their worst together it is 2.00 to 8.00 gCO2e." in text for text in likely.sources)
    assert "33.3 %" == page.headlines[4].value
    assert ["trial…", "3"] == [cell.text for cell in tables["The most costly sweeps"].rows[0][:2]]


def test_searches_tell_what_led_nowhere_and_what_gains_took() -> None:
    """Their trials are no sweep by name besides, and what no search tells has no figure."""
    known = sweep_sum("rates", RUNS)
    untold = sweep_sum("unknown", [replace(SMALL, trial=None)])
    lines = [replace(line(1), sweep="rates"), replace(line(2), sweep="rates"), line(3)]
    page = project_page("lisa", lines, sweeps=[untold, known])
    tables = {table.title: table for table in page.tables}
    [first, second] = tables["Searches for hyperparameters"].rows

    assert ["rates", "7", "3", "38.8 %", "6.2 %", "5.0 %"] == [first[place].text for place in (0, 1, 5, 6, 7, 8)]
    assert pytest.approx((80.0, 80 / 7, 70 / 0.5)) == tuple(first[place].key for place in (2, 3, 9))
    assert ["unknown", "1", NO_FIGURE, NO_FIGURE] == [second[place].text for place in (0, 1, 5, 6)]
    assert "The most costly sweeps" not in tables


def test_many_days_are_drawn_by_month() -> None:
    """A chart has room for some bars."""
    days = [replace(line(1), started_at=f"2026-{1 + day // 28:02}-{1 + day % 28:02}T10:00:00Z") for day in range(60)]

    assert ["2026-01", "2026-02", "2026-03"] == periods(days)[0]


def test_quality_is_the_metric_that_most_runs_have() -> None:
    """Of several, an evaluation says more than a loss in training."""
    point = MetricPoint(1, 2.0, 0.5)
    ends = {
        ("lisa", "run 1"): {"loss": point, "eval_loss": point},
        ("lisa", "run 2"): {"loss": point, "eval_loss": point},
    }

    assert ("eval_loss", [(3_600.0, 0.5)] * 2) == quality([line(1), line(2), line(3)], ends)
    assert ("", []) == quality([line(1)], {})


def test_a_page_shows_how_hot_devices_were_and_what_could_be_saved() -> None:
    """Mean and highest temperature, clock, throttling by reason, and waste with what to try; absent is left empty."""
    quiet = replace(FULL.energy.domains[1], device=DeviceRecord())
    energy = replace(FULL.energy, domains=(FULL.energy.domains[0], quiet))
    straggler = Waste("straggler", 500.0, 0.05, 0.0, "look at its data", 3)
    tables = {
        table.title: table for table in run_page(replace(FULL, energy=energy, waste=(*FULL.waste, straggler))).tables
    }
    hot, told = [[cell.text for cell in row] for row in tables["How hot, fast and busy"].rows]
    heat, slowest = [[cell.text for cell in row] for row in tables["What could be saved"].rows]

    assert ["64 °C", "71 °C", "1,755 MHz", "", "", "25.0 % of the time: at its power limit 25.0 %"] == hot[1:]
    assert ["", "", "", "", "", "not told"] == told[1:]
    assert ("throttled by heat", "23.0 %", "20.0 s") == (heat[0], heat[2], heat[3])
    assert ("waiting for the slowest rank, rank 3", "", "look at its data") == (slowest[0], slowest[3], slowest[4])
    assert "What could be saved" not in {table.title for table in run_page(NOTHING).tables}

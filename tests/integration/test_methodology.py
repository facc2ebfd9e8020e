"""METHODOLOGY.md says what the code does: its figures are compared, and its example is computed again."""

from __future__ import annotations

import re
from collections import deque
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.carbon.footprint import footprint
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.attribution import Attribution, Mark, StepEnergy
from lightning_carbon.energy.curve import EnergyCurve
from lightning_carbon.energy.phases import Phase
from lightning_carbon.energy.plausibility import CEILINGS, CONFIRM_NS, GIVE_UP_NS, MARGIN, SLACK_NS
from lightning_carbon.energy.readings import Kind, Provenance, Sensor
from lightning_carbon.energy.timeline import Timeline
from lightning_carbon.estimate.factors import (
    FULL_SHARE,
    HOST_FIXED,
    HOST_SHARE,
    IDLE_SHARE,
    MFU,
    SMALL_MFU,
    TPU_SHARE,
    TRAINING_SHARE,
    USD_PER_KWH,
)
from lightning_carbon.grid.factors import intensity_of, regions
from lightning_carbon.grid.machines import MACHINES
from lightning_carbon.grid.pue import WORLD_AVERAGE, pue_of
from lightning_carbon.grid.tables import WORLD
from lightning_carbon.metering.crosscheck import (
    DEAD_NS,
    ENOUGH_STRIKES,
    EVERY_NS,
    FIRST_NS,
    HIGHEST_RATIO,
    KEEP_NS,
    RETRY_NS,
    SILENT_NS,
    WINDOW_NS,
)
from lightning_carbon.metering.pace import EDGE_SECONDS, SPARSE_SECONDS
from lightning_carbon.metering.probe import PATIENCE_NS
from lightning_carbon.metering.probes import GAUGE_GAP_NS
from lightning_carbon.metering.sampler import (
    FINISH_SECONDS,
    FIRST_LOOK_SECONDS,
    GAUGE_SPEEDUP,
    LATER_LOOK_SECONDS,
    SPARSE_LOOK_AGAIN_SECONDS,
)
from lightning_carbon.settings.checks import DEFAULT_INTERVAL_SECONDS
from lightning_carbon.sources import nvml
from lightning_carbon.sources.host import model as host_model
from lightning_carbon.sources.host import rapl
from lightning_carbon.sources.host.constants import DRAM_WATTS_PER_GIGABYTE_HIGH, DRAM_WATTS_PER_GIGABYTE_LOW
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.study.measured.settling import MOST_BLOCKS, MOST_DRIFT_RATIO
from lightning_carbon.units import NANOSECONDS_PER_SECOND, SECONDS_PER_HOUR, Energy
from tests.documents import read, table
from tests.nvml_standin import ALL_READINGS_FAIL, NOT_SUPPORTED, Gpu, Scenario, Slice
from tests.powercap import PowercapTree
from tests.worlds import write_world

if TYPE_CHECKING:
    from lightning_carbon.energy.accuracy import Accuracy
    from lightning_carbon.ports import Finding
    from tests.nvml_standin import Standin

PAGE = "METHODOLOGY.md"
MOVES = r"moves every 100 ms: ([\d.]+), ([\d.]+) and ([\d.]+) s after the start"
MILLISECOND = NANOSECONDS_PER_SECOND // 1000
KNOWN_CPU = "AMD EPYC 7763 64-Core Processor"


def said(pattern: str) -> tuple[float, ...]:
    """The figures in the one place of the page where this stands."""
    [match] = list(re.finditer(pattern, read(PAGE)))
    return tuple(float(figure.replace(",", "")) for figure in match.groups())


# -- three steps by hand (section 3) --------------------------------------------------------------------------------


def test_the_steps_are_what_our_own_functions_compute() -> None:
    """The counter's moves and the marks, put through the code, give the column of the curve and the sums below it."""
    moves = [int(figure) for figure in said(r"it stands (\d+), (\d+) and (\d+) J higher")]
    curve = EnergyCurve(0)
    for number, (before, after) in enumerate(pairwise([0, *moves]), start=1):
        curve.rise(number * 100 * MILLISECOND, Energy.from_joules(after - before).microjoules)
    timeline = Timeline()
    timeline.curve = curve
    rows = table(PAGE, "", "from, s", "to, s")
    ends = [round(float(row[2]) * 1000) * MILLISECOND for row in rows]
    steps: list[StepEnergy] = []
    marks = deque([*map(Mark, ends[:3]), Mark(ends[2], phase=Phase.VALIDATE)])
    tally = Attribution([timeline], 0, Phase.TRAIN, on_step=steps.append).advance(marks, ends[-1])
    joules = [step.microjoules[0] / 1e6 for step in steps]
    phases = {phase: share.microjoules[0] / 1e6 for phase, share in tally.phases.items()}

    assert [*joules, phases[Phase.VALIDATE], tally.microjoules(0) / 1e6] == [float(row[3]) for row in rows]
    assert (phases[Phase.TRAIN], phases[Phase.VALIDATE], sum(joules) / len(joules)) == said(
        r"phase `train` has (\d+) J, `validate` (\d+) J, a step (\d+) J on average"
    )


def test_two_looks_at_the_counter_say_what_the_page_says() -> None:
    """The last column is how far the counter moved within each interval, and it adds up to the run as well."""
    stands = dict(zip((0.0, *said(MOVES)), (0.0, *said(r"it stands (\d+), (\d+) and (\d+) J higher")), strict=True))
    rows = table(PAGE, "", "from, s", "to, s")

    def look(at_seconds: str) -> float:
        return stands[max(moved for moved in stands if moved <= float(at_seconds))]

    assert [look(row[2]) - look(row[1]) for row in rows] == [float(row[4]) for row in rows]
    assert sum(float(row[4]) for row in rows[:-1]) == float(rows[-1][4])


# -- the worked example (section 4) ---------------------------------------------------------------------------------


@pytest.fixture
def accuracy(nvml_standin: Standin) -> Accuracy:
    """How far off the counter of an A100 may be, asked of such a counter."""
    with nvml_standin.showing(Scenario.of(Gpu(name="NVIDIA A100-SXM4-80GB", architecture=7))):
        found = sensor(nvml.discover(environ={})[0]).accuracy
    assert found is not None
    return found


def test_the_example_is_what_our_own_functions_compute(accuracy: Accuracy) -> None:
    """Its energy, region and PUE, put through the code, give its table, digit by digit."""
    (joules,) = said(r"counter rises by ([\d,]+) J")
    (pue,) = said(r"PUE given as ([\d.]+)\)?")
    (hours,) = said(r"A run of (\d+) hours")
    value = Energy.from_joules(joules)
    low, high = accuracy.ends(value.microjoules, round(hours * SECONDS_PER_HOUR * NANOSECONDS_PER_SECOND))
    energy = Bounds(value, Energy(low), Energy(high))
    priced = footprint(energy, pue_of(pue), intensity_of("SE"))
    kilowatt_hours = [bound.kilowatt_hours for bound in (energy.low, energy.value, energy.high)]

    assert [
        [f"{figure:.3f}" for figure in kilowatt_hours],
        [f"{figure * pue:.3f}" for figure in kilowatt_hours],
        [f"{mass.grams:.2f}" for mass in (priced.low, priced.value, priced.high)],
    ] == [row[1:] for row in table(PAGE, "", "low", "value", "high")]


def test_the_example_agrees_with_itself(accuracy: Accuracy) -> None:
    """Its hours times its watts are its joules, and it names the range of its sensor."""
    hours, joules, watts = said(
        r"A run of (\d+) hours on one A100 whose counter rises by ([\d,]+) J \((\d+) W on average\)"
    )

    assert hours * 3600 * watts == joules
    assert (100 * accuracy.below_ratio, 100 * accuracy.above_ratio, accuracy.above_watts) == pytest.approx(
        said(r"energy, kWh \(GA100: -(\d+) / \+([\d.]+) %, \+([\d.]+) W\)"), abs=0.05
    )


def test_the_rule_of_settling_is_as_told() -> None:
    """Blocks and drift."""
    page = read(PAGE)

    assert f"up to {MOST_BLOCKS} equal blocks" in page
    assert f"by more than {100 * MOST_DRIFT_RATIO:g} % of the mean over the averaged time" in page


def test_the_example_s_region_is_that_of_the_table() -> None:
    """Sweden's factor, its year and its range are those that are packaged."""
    sweden = intensity_of("SE")
    packaged = (sweden.value, sweden.low, round(sweden.high, 1))

    assert (*packaged, sweden.year) == (
        *said(r"Sweden \(([\d.]+) gCO2e/kWh in"),
        *said(r"gCO2e/kWh in \d+; ([\d.]+) to ([\d.]+) over publishers and years"),
        *said(r"gCO2e/kWh in (\d+); [\d.]+ to"),
    )


# -- factors (section 4) --------------------------------------------------------------------------------------------


def test_the_assumed_pue_is_the_code_s() -> None:
    """Value, range and years of the surveys."""
    [pue] = said(r"else ([\d.]+), the world average of the Uptime Institute's survey of \d{4}")
    [survey] = said(r"world average of the Uptime Institute's survey of (\d{4})")

    assert (WORLD_AVERAGE.value, WORLD_AVERAGE.low, WORLD_AVERAGE.high) == (
        pue,
        *said(r"range from ([\d.]+) \(a machine under a desk\)"),
        *said(r"to ([\d.]+) \(the largest value"),
    )
    assert f"{survey:.0f}" in WORLD_AVERAGE.source


def test_an_unknown_place_has_the_range_of_nine_countries_in_ten() -> None:
    """The stated percentiles, computed here by another hand, are the ends of the assumed range."""
    low, high = said(r"of an unknown place, the (\d+)th to the (\d+)th percentile of countries")
    assert (5, 95) == (low, high)
    values = [row.grams_per_kilowatt_hour for row in regions() if row.iso3 != WORLD]
    twentieths = quantiles(values, n=20, method="inclusive")
    assumed = intensity_of(None)

    assert assumed.assumed
    assert pytest.approx((twentieths[0], twentieths[-1])) == (
        assumed.low,
        assumed.high,
    )


def test_the_table_of_machines_is_the_packaged_one() -> None:
    """Every class, with its constant and its share and their ranges."""
    rows = table(PAGE, "class", "constant, W")
    found = {
        row[0].strip("`"): [float(figure) for figure in re.findall(r"[\d.]+", f"{row[1]} {row[2]}")] for row in rows
    }

    assert {
        name: pytest.approx(
            [
                *(model.constant_watts, model.constant_low_watts, model.constant_high_watts),
                *(100 * share for share in (model.share, model.share_low, model.share_high)),
            ]
        )
        for name, model in MACHINES.items()
    } == found


def test_the_desktop_s_example_is_computed_as_told() -> None:
    """Chips, constant, share and machine of the example, at both ends, by the code."""
    rows = table(PAGE, "of a desktop", "low", "value", "high")
    chips, constant, shared, machine = ([float(cell) for cell in row[1:]] for row in rows)
    model = MACHINES["desktop"]
    energy = Bounds(*(Energy.from_joules(3.6e6 * chips[place]) for place in (1, 0, 2)))
    whole = energy + model.rest_of(energy, 2 * 3600 * 10**9)

    assert machine == [round(end.kilowatt_hours, 3) for end in (whole.low, whole.value, whole.high)]
    assert machine == pytest.approx([sum(parts) for parts in zip(chips, constant, shared, strict=True)], abs=0.0011)


# -- ranges (section 5) ---------------------------------------------------------------------------------------------


def sensor(finding: Finding) -> Sensor:
    """What a source that was found says of itself."""
    assert finding.port is not None, finding
    return finding.port.sensor


def stated(source: str) -> list[float]:
    """The ratios in a row of the table of ranges."""
    [cell] = [row[1] for row in table(PAGE, "source", "stated range") if row[0] == source]
    return [float(figure) / 100 for figure in re.findall(r"±(\d+) %", cell)]


def test_the_table_of_ranges_has_these_rows_and_no_others() -> None:
    """A row that nothing below compares would be a row that may drift."""
    assert [
        "NVML energy counter, and power integrated",
        "GPU modelled, MIG slice",
        "RAPL package, Intel",
        "RAPL package, AMD",
        "RAPL memory",
        "GPU of AMD or Intel, counter",
        "GPU of AMD, power integrated",
        "Grace, Ampere, AMD by HSMP",
        "Jetson's rails",
        "platform (psys)",
        "modelled processor",
        "modelled memory",
    ] == [row[0] for row in table(PAGE, "source", "stated range")]


@pytest.mark.parametrize(
    "gpu",
    [
        Gpu(**ALL_READINGS_FAIL),  # type: ignore[arg-type]  # mypy sees no keys
        Gpu(mig_enabled=True, slices=(Slice(uuid="MIG-a"),)),
    ],
    ids=["utilisation", "slice"],
)
def test_the_range_of_a_modelled_gpu_is_the_stated_one(nvml_standin: Standin, gpu: Gpu) -> None:
    """Each way to model a GPU, on a driver that offers just that, says the ratio of its row."""
    with nvml_standin.showing(Scenario.of(gpu)):
        [finding] = nvml.discover(environ={})

    assert stated("GPU modelled, MIG slice")[0] == sensor(finding).uncertainty_ratio


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"energy_code": NOT_SUPPORTED},
        {"energy_code": NOT_SUPPORTED, "instant_code": NOT_SUPPORTED},
        {"energy_code": NOT_SUPPORTED, "fields_code": NOT_SUPPORTED},
    ],
    ids=["counter", "momentary power", "mean power", "power"],
)
@pytest.mark.parametrize(
    ("name", "architecture", "row"),
    [
        ("Tesla K80", 2, "Kepler, data centre"),
        ("NVIDIA A100-SXM4-80GB", 7, "GA100, data centre"),
        ("NVIDIA GeForce RTX 3090", 7, "Ampere, consumer"),
        ("NVIDIA H100 80GB HBM3", 9, "every other"),
        ("NVIDIA B200", 10, "every other"),
        ("NVIDIA A10", 7, "every other"),
    ],
)
def test_every_sensor_of_a_gpu_has_the_range_of_its_family(
    nvml_standin: Standin, ways: dict[str, int], name: str, architecture: int, row: str
) -> None:
    """Counter or power, on a driver that offers just that: gain and offset as the table has them."""
    [cells] = [cells for cells in table(PAGE, "family", "measured") if cells[0] == row]
    with nvml_standin.showing(Scenario.of(Gpu(name=name, architecture=architecture, **ways))):  # type: ignore[arg-type]
        found = sensor(nvml.discover(environ={})[0])

    assert found.accuracy is not None
    assert [
        f"-{100 * found.accuracy.below_ratio:.3g} / +{100 * found.accuracy.above_ratio:.3g} %",
        f"-{found.accuracy.below_watts:g} / +{found.accuracy.above_watts:g} W",
    ] == cells[3:5]
    assert ("assumed" in found.method) == (row == "every other")


def test_the_ranges_of_rapl_are_the_stated_ones(tmp_path: Path) -> None:
    """Package, memory and platform, found in a tree, say the ratios of their rows, and AMD's its own."""
    cpuinfo = tmp_path / "cpuinfo"
    tree = PowercapTree(tmp_path)
    tree.add("intel-rapl:0", "package-0")
    tree.add("intel-rapl:0:0", "dram")
    tree.add("intel-rapl:1", "psys")
    found = {}
    for vendor in ("AuthenticAMD", "GenuineIntel"):
        cpuinfo.write_text(f"vendor_id\t: {vendor}\n")
        sensors = [sensor(finding) for finding in rapl.discover(tree.root, cpuinfo=cpuinfo)]
        found[vendor] = {sensor.domain.kind: [sensor.uncertainty_ratio] for sensor in sensors}

    assert stated("RAPL package, AMD") == found["AuthenticAMD"][Kind.PACKAGE]
    assert {
        Kind.PACKAGE: stated("RAPL package, Intel"),
        Kind.DRAM: stated("RAPL memory"),
        Kind.PSYS: stated("platform (psys)"),
    } == found["GenuineIntel"]


@pytest.mark.parametrize(
    ("world", "row"),
    [
        ("intel", "GPU of AMD or Intel, counter"),
        ("amd", "GPU of AMD, power integrated"),
        ("grace", "Grace, Ampere, AMD by HSMP"),
        ("altra", "Grace, Ampere, AMD by HSMP"),
        ("jetson", "Jetson's rails"),
    ],
)
def test_the_ranges_of_hwmon_are_the_stated_ones(tmp_path: Path, world: str, row: str) -> None:
    """Every sensor of a recorded machine says the ratio of its row."""
    sensors = hwmon.discover("auto", {}, write_world(world, tmp_path))
    found = {
        sensor(finding).uncertainty_ratio
        for finding in sensors.accelerators + sensors.processors
        if finding.port is not None
    }

    assert set(stated(row)) == found


@pytest.mark.parametrize("model", [KNOWN_CPU, "Intel(R) Xeon(R) Processor @ 2.60GHz"])
def test_the_range_of_a_modelled_processor_is_the_stated_one_or_wider(tmp_path: Path, model: str) -> None:
    """That of a listed model, and more for one that nothing is known of."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"model name\t: {model}\n\n", encoding="ascii")
    [finding] = host_model.discover({}, dram=False, cpuinfo=cpuinfo)
    [least] = stated("modelled processor")

    assert (model == KNOWN_CPU) == (sensor(finding).uncertainty_ratio == least)
    assert sensor(finding).uncertainty_ratio >= least


def test_the_range_of_modelled_memory_is_about_the_stated_one() -> None:
    """To the next ten per cent, and the figures behind it are the code's."""
    [finding] = host_model.discover({}, cpu=False)

    assert stated("modelled memory") == [round(sensor(finding).uncertainty_ratio, 1)]
    assert (DRAM_WATTS_PER_GIGABYTE_LOW, DRAM_WATTS_PER_GIGABYTE_HIGH) == said(
        r"published figures run from ([\d.]+) to ([\d.]+) W/GB"
    )


# -- names and times (sections 1 to 3) ------------------------------------------------------------------------------


def test_the_page_has_every_provenance_and_phase() -> None:
    """The words of the records are the words of the page."""
    [phases] = re.findall(r"A \*\*phase\*\* \(([^)]*)\)", read(PAGE))

    assert [f"`{provenance}`" for provenance in Provenance] == [row[0] for row in table(PAGE, "provenance")]
    assert ", ".join(f"`{phase}`" for phase in Phase) == phases


def test_the_page_has_the_times_that_the_sampler_keeps() -> None:
    """How often, how long at the end, which gap is too long, and when a reading hangs."""
    text = read(PAGE)

    assert (DEFAULT_INTERVAL_SECONDS,) == said(r"every ([\d.]+) s \(`interval_seconds`\)")
    assert (SPARSE_SECONDS,) == said(r"every ([\d.]+) s, for the journal")
    assert 0.25 == EDGE_SECONDS
    assert "for a quarter of a second after it" in text
    assert (FIRST_LOOK_SECONDS, LATER_LOOK_SECONDS) == said(
        r"for ([\d.]+) s at most at the start, later ([\d.]+) s at most"
    )
    assert 10 == SPARSE_LOOK_AGAIN_SECONDS
    assert "else every ten seconds" in text
    assert (DEFAULT_INTERVAL_SECONDS / GAUGE_SPEEDUP * 1e3,) == said(r"every (\d+) ms, whoever asks")
    assert (FINISH_SECONDS,) == said(r"waits for the next jump, ([\d.]+) s at most")
    assert 2 * NANOSECONDS_PER_SECOND == GAUGE_GAP_NS
    assert "more than two seconds (and five intervals) apart do not cover" in text
    assert 2 * NANOSECONDS_PER_SECOND == PATIENCE_NS
    assert "a source fails for two seconds" in text
    assert "a reading hangs for two seconds" in text


def test_the_page_has_the_limits_of_what_is_plausible() -> None:
    """What hardware cannot draw, and how long a count is held back."""
    text = read(PAGE)
    watts = said(r"(\d+) kW for an accelerator, (\d+) kW for a processor, (\d+) kW for memory, (\d+) kW for a platform")

    assert 2 == MARGIN
    assert "twice its limit or rated power" in text
    assert [1_000 * kilowatts for kilowatts in watts] == [
        CEILINGS[kind].watts for kind in (Kind.GPU, Kind.PACKAGE, Kind.DRAM, Kind.PSYS)
    ]
    assert (CEILINGS[Kind.HOST].watts / 1_000,) == said(r"(\d+) kW for a host")
    assert NANOSECONDS_PER_SECOND == CONFIRM_NS == SLACK_NS
    assert "the count comes back within a second" in text
    assert "of what the hardware can draw than it draws in one second" in text
    assert 2 * NANOSECONDS_PER_SECOND == GIVE_UP_NS
    assert "no two counts fit together for two seconds" in text


def test_the_page_has_how_counters_and_power_are_compared() -> None:
    """How long, how often, and what makes a counter give way."""
    text = read(PAGE)

    assert (5, 120) == (FIRST_NS / NANOSECONDS_PER_SECOND, EVERY_NS / NANOSECONDS_PER_SECOND)
    assert "both read in the first five seconds, for five seconds of every two minutes" in text
    assert NANOSECONDS_PER_SECOND == DEAD_NS
    assert "a count that stands still for a second while" in text
    assert 3 * NANOSECONDS_PER_SECOND == SILENT_NS
    assert "or of memory that has counted before, stands still for three seconds" in text
    assert NANOSECONDS_PER_SECOND == KEEP_NS
    assert "in between, the power is read once a second" in text
    assert (2, 2, 3) == (HIGHEST_RATIO, ENOUGH_STRIKES, WINDOW_NS / NANOSECONDS_PER_SECOND)
    assert "less than half or more than twice of what power adds up to, in two stretches of three seconds" in text
    assert (5, 3) == (len(RETRY_NS), RETRY_NS[-1] / NANOSECONDS_PER_SECOND)
    assert "tried again five times in the first three seconds" in text


# -- estimates (section 8) ------------------------------------------------------------------------------------------


def test_the_figures_of_an_estimate_are_the_code_s() -> None:
    """Value, low and high of all that is assumed of a run that has not begun."""
    factors = (
        *(IDLE_SHARE, TRAINING_SHARE, FULL_SHARE, TPU_SHARE),
        *(HOST_FIXED, HOST_SHARE, MFU, SMALL_MFU, USD_PER_KWH),
    )
    rows = table(PAGE, "figure", "value", "low", "high")

    assert [(factor.span.value, factor.span.low, factor.span.high) for factor in factors] == [
        tuple(map(float, row[1:4])) for row in rows
    ]

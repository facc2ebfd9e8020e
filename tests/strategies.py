"""What laws are checked on: readings, timelines, marks and records, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import accumulate

from hypothesis import strategies as st

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.energy.accuracy import either_way
from lightning_carbon.energy.attribution import Mark
from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.energy.readings import CounterReading, GaugeReading, Kind, Provenance
from lightning_carbon.energy.timeline import CounterTimeline, GaugeTimeline, Timeline
from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import is_name
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RunRecord,
    Status,
)
from lightning_carbon.units import Energy, Power

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

Readings = list[CounterReading]

gaps = st.one_of(st.integers(1, 10 * MILLISECOND), st.integers(1, 3 * SECOND))
"""Nanoseconds between two readings."""

rises = st.one_of(st.just(0), st.integers(0, 1_000), st.integers(0, 10**9))
"""Microjoules between two readings; often none, as between two jumps of a counter."""


def around(energy: Energy, ratio: float) -> Bounds[Energy]:
    """An energy with a range that is as wide below as above."""
    low, high = either_way(ratio).ends(energy.microjoules, 0)
    return Bounds(energy, Energy(low), Energy(high))


@st.composite
def random_counts(draw: st.DrawFn, min_size: int = 1) -> Readings:
    """Readings of a counter that rises now and then, at any moments."""
    steps = draw(st.lists(st.tuples(gaps, rises), min_size=min_size, max_size=30))
    stamps = accumulate((gap for gap, _ in steps), initial=draw(st.integers(0, 10**15)))
    counts = accumulate((rise for _, rise in steps), initial=draw(st.integers(0, 10**12)))
    return [CounterReading(at_ns, Energy(count)) for at_ns, count in zip(stamps, counts, strict=True)]


@st.composite
def jumping_counts(draw: st.DrawFn) -> Readings:
    """Readings of a counter that jumps at a beat of its own, steady or not, read often at first and then seldom."""
    period = draw(st.integers(20 * MILLISECOND, 200 * MILLISECOND))
    unsteady = draw(st.integers(0, period // 3))
    start_ns = draw(st.integers(SECOND, 10**15))
    often = [draw(st.integers(1, 10)) * MILLISECOND] * (draw(st.integers(0, 60)))
    seldom = draw(st.lists(st.integers(10 * MILLISECOND, 300 * MILLISECOND), min_size=2, max_size=20))
    stamps = list(accumulate([*often, *seldom], initial=start_ns))
    random = draw(st.randoms(use_true_random=False))
    jumps: list[int] = [start_ns - period]
    while jumps[-1] < stamps[-1]:
        jumps.append(jumps[-1] + max(1, period + random.randint(-unsteady, unsteady)))
    return [CounterReading(at_ns, Energy(sum(jump <= at_ns for jump in jumps) * 30_000_000)) for at_ns in stamps]


counts = st.one_of(random_counts(), jumping_counts())
"""Readings of any counter that neither wraps nor is reset."""


@st.composite
def powers(draw: st.DrawFn, min_size: int = 1) -> list[GaugeReading]:
    """Readings of a power gauge."""
    steps = draw(st.lists(st.tuples(gaps, st.floats(0, 2_000)), min_size=min_size, max_size=30))
    stamps = accumulate((gap for gap, _ in steps), initial=draw(st.integers(0, 10**15)))
    return [GaugeReading(at_ns, Power(watts)) for at_ns, (_, watts) in zip(stamps, steps, strict=False)]


def counted(readings: Readings, *, ticking: bool = True, wraps_at: Energy | None = None) -> CounterTimeline:
    """The timeline of these counts, still open."""
    timeline = CounterTimeline(wraps_at=wraps_at, ticking=ticking)
    for reading in readings:
        timeline.append(reading)
    return timeline


def gauged(readings: list[GaugeReading], *, max_gap_ns: int = 2 * SECOND) -> GaugeTimeline:
    """The timeline of these powers, still open."""
    timeline = GaugeTimeline(max_gap_ns=max_gap_ns)
    for reading in readings:
        timeline.append(reading)
    return timeline


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """A timeline of any sort that has ended, of at least one reading."""
    make: Callable[[], Timeline] = draw(
        st.sampled_from(
            [
                lambda: counted(draw(counts), ticking=draw(st.booleans())),
                lambda: gauged(draw(powers())),
            ]
        )
    )
    timeline = make()
    timeline.end()
    return timeline


@st.composite
def moments(draw: st.DrawFn, timeline: Timeline, *, min_size: int = 1, max_size: int = 12) -> list[int]:
    """Moments around a timeline, in order."""
    assert timeline.curve is not None
    start, end = timeline.curve.start_ns, timeline.curve.end_ns
    return sorted(draw(st.lists(st.integers(start - SECOND, end + SECOND), min_size=min_size, max_size=max_size)))


phases = st.sampled_from([*Phase, "rollout", "score"])
sizes = st.none() | st.integers(0, 4_096)


@st.composite
def marks(draw: st.DrawFn, start_ns: int, end_ns: int) -> list[Mark]:
    """Step ends and phase changes between two moments, in order, some of them at the same moment."""
    stamps = sorted(draw(st.lists(st.integers(start_ns, end_ns), max_size=25)))
    return [Mark(at_ns, draw(st.none() | phases), draw(sizes), draw(sizes)) for at_ns in stamps]


@st.composite
def detailed_marks(draw: st.DrawFn, start_ns: int, end_ns: int) -> list[Mark]:
    """Marks of a meter that tells parts apart: step ends, phases and parts, in order, some at the same moment."""
    stamps = sorted(draw(st.lists(st.integers(start_ns, end_ns), max_size=40)))
    told = st.one_of(
        sizes.map(lambda count: Mark(0, samples=count)),
        phases.map(lambda phase: Mark(0, phase)),
        st.sampled_from([*Part, "generate"]).map(lambda part: Mark(0, part=part)),
    )
    return [draw(told)._replace(at_ns=at_ns) for at_ns in stamps]


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn"]), max_size=20)
names = words.filter(is_name)
iso_moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
joules = st.floats(0, 1e12)
ratios = st.floats(0, 1)
by_phase = st.dictionaries(phases.map(str), joules, max_size=8)
by_part = st.dictionaries(
    phases.map(str), st.dictionaries(st.sampled_from([*Part, "generate"]).map(str), joules), max_size=2
)

domain_records = st.builds(
    DomainRecord,
    id=words,
    kind=st.sampled_from(Kind).map(str),
    name=words,
    joules=joules,
    provenance=st.sampled_from(Provenance).map(str),
    coverage_ratio=ratios,
    uncertainty_ratio=ratios,
    method=words,
    parent=st.none() | words,
    lost=st.none() | words,
    phases=by_phase,
    parts=by_part,
    low_joules=st.none() | joules,
    high_joules=st.none() | joules,
)

energy_records = st.builds(
    EnergyRecord,
    total_joules=st.none() | joules,
    measured_joules=joules,
    modelled_joules=joules,
    low_joules=joules,
    high_joules=joules,
    coverage_ratio=ratios,
    domains=st.lists(domain_records, max_size=4).map(tuple),
    phases=by_phase,
    absent=st.lists(st.builds(Finding, words, words, reason=words, fix=words), max_size=4).map(tuple),
    parts=by_part,
)

carbon_records = st.builds(
    CarbonRecord,
    grams_co2e=st.none() | joules,
    low=st.none() | joules,
    high=st.none() | joules,
    intensity=st.builds(
        Intensity, joules, joules, joules, words, st.none() | st.integers(1990, 2100), words, words, st.booleans()
    ),
    pue=st.builds(PowerUsage, joules, joules, joules, words, st.booleans()),
)

run_records = st.builds(
    RunRecord,
    schema=st.just(SCHEMA),
    run_id=names,
    project=names,
    run_name=st.none() | words,
    status=st.sampled_from(Status).map(str),
    started_at=iso_moments,
    ended_at=st.none() | iso_moments,
    duration_seconds=st.floats(1e-9, 1e8),
    steps=st.integers(0, 10**9),
    samples=st.none() | st.integers(0, 10**12),
    tokens=st.none() | st.integers(0, 10**15),
    phase_seconds=st.dictionaries(phases.map(str), st.floats(1e-9, 1e8), max_size=8),
    step_joules=st.none() | joules,
    host=st.dictionaries(words, st.none() | words | st.integers(0, 2**60), max_size=4),
    energy=energy_records,
    carbon=carbon_records,
    location=st.none() | words,
    part_seconds=by_part,
)
"""Records of all shapes; their figures need not fit together."""

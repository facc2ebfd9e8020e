"""Traces, written and played back."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, RecordError, SourceLost
from lightning_carbon.ports import EnergyCounter, PowerGauge, Source
from lightning_carbon.sources.replay import TraceWriter, replay
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge
from lightning_carbon.units import Energy, Power

HEADER = "t_seconds,domain,kind,name,joules,watts\n"

# What a UTF-8 file can hold in one field.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
domains = st.builds(Domain, st.sampled_from(Kind), words.map("id:".__add__), words, st.none() | words.map("p".__add__))
energies = st.integers(0, 10**18).map(Energy)
powers = st.floats(0, 1e6).map(Power)
sensors = st.builds(
    Sensor,
    domains,
    st.sampled_from(Provenance),
    st.floats(0, 1),
    st.just("replayed from a trace"),
    st.none() | st.integers(1, 10**18).map(Energy),
    st.none() | st.floats(0, 1e6).map(Power),
    st.just(0.0) | st.floats(0.01, 10),
)


@dataclass
class Listed:
    """What a list of values makes of a source."""

    sensor: Sensor
    values: list[Energy] | list[Power]
    position: int = field(default=-1)

    def next(self) -> Energy | Power:
        """The next of the values."""
        self.position += 1
        return self.values[self.position]


class ListedCounter(Listed):
    """A counter that shows one value after the other."""

    def read_energy(self) -> Energy:
        """The next value."""
        value = self.next()
        assert isinstance(value, Energy)
        return value


class ListedGauge(Listed):
    """A gauge that shows one value after the other."""

    def read_power(self) -> Power:
        """The next value."""
        value = self.next()
        assert isinstance(value, Power)
        return value


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[Source], list[int]]:
    """Sources with a value for each of the spans between their readings."""
    spans = draw(st.lists(st.integers(1, 10**12), min_size=1, max_size=6))
    sources: list[Source] = []
    for sensor in draw(st.lists(sensors, min_size=1, max_size=4, unique_by=lambda sensor: sensor.domain.id)):
        if draw(st.booleans()):
            sources.append(ListedCounter(sensor, draw(st.lists(energies, min_size=len(spans), max_size=len(spans)))))
        else:
            gauge = replace(sensor, wraps_at=None)
            sources.append(ListedGauge(gauge, draw(st.lists(powers, min_size=len(spans), max_size=len(spans)))))
    return sources, spans


@given(recordings())
def test_what_is_recorded_is_what_is_played_back(recording: tuple[list[Source], list[int]]) -> None:
    """Sensors come back whole and readings exactly, at the moments they were taken at."""
    sources, spans = recording
    clock = ManualClock(start_ns=12345)
    stream = io.StringIO(newline="")
    writer = TraceWriter(stream, sources, clock)
    for span in spans:
        clock.advance(nanoseconds=span)
        writer.sample()
    trace = io.StringIO(stream.getvalue(), newline="")
    clock = ManualClock(start_ns=999)
    played = replay(trace, clock)
    for source in played:
        _ = source.read_energy() if isinstance(source, EnergyCounter) else source.read_power()
    values: list[list[Energy | Power]] = [[] for _ in played]
    for span in spans:
        clock.advance(nanoseconds=span)
        for source, shown in zip(played, values, strict=True):
            shown.append(source.read_energy() if isinstance(source, EnergyCounter) else source.read_power())

    assert [source.sensor for source in sources] == [source.sensor for source in played]
    assert [source.values for source in sources if isinstance(source, Listed)] == values


def test_a_trace_by_hand_needs_six_columns_only() -> None:
    """Provenance, parent and the like have defaults, and counters and gauges may be mixed."""
    lines = [HEADER, "0,gpu:0,gpu,H100,5,\n", "0.5,psys:0,psys,platform,,40\n", "1.25,gpu:0,gpu,H100,65.5,\n"]
    clock = ManualClock()
    gpu, platform = replay(lines, clock)
    assert isinstance(gpu, EnergyCounter)
    assert isinstance(platform, PowerGauge)
    first = gpu.read_energy()
    clock.advance(seconds=1.25)

    assert Provenance.COUNTER is gpu.sensor.provenance
    assert Provenance.INTEGRATED is platform.sensor.provenance
    assert (60.5, 40.0) == ((gpu.read_energy() - first).joules, platform.read_power().watts)


def test_the_end_of_a_trace_is_a_lost_source() -> None:
    """After the end the last value is given once, so that none is missed, and nothing is made up after that."""
    clock = ManualClock()
    (gpu,) = replay([HEADER, "0,gpu:0,gpu,H100,5,\n", "1,gpu:0,gpu,H100,7,\n"], clock)
    assert isinstance(gpu, EnergyCounter)
    gpu.read_energy()
    clock.advance(seconds=9)
    last = gpu.read_energy()
    with pytest.raises(SourceLost):
        gpu.read_energy()

    assert Energy.from_joules(7) == last


def test_a_source_that_fails_leaves_no_line_and_one_that_is_lost_none_any_more() -> None:
    """Only real readings reach a trace."""
    clock = ManualClock()
    counter, gauge = ScriptedCounter(clock), ScriptedGauge(clock, lambda _seconds: 1.0)
    stream = io.StringIO(newline="")
    writer = TraceWriter(stream, [counter, gauge], clock)
    for counter.fails_with, gauge.fails_with in [
        (ReadFailed("now"), None),
        (None, SourceLost("gone")),
        (None, None),
    ]:
        clock.advance(seconds=1)
        writer.sample()
    kinds = [line.split(",")[4:6] for line in stream.getvalue().splitlines()[1:]]

    assert [["", "1.0"], ["200.000000", ""], ["300.000000", ""]] == kinds


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "line 1: a trace needs the columns"),
        (["t_seconds,domain\n"], "line 1: a trace needs the columns joules, kind, name, watts"),
        ([HEADER], "no reading"),
        ([HEADER, "0,g,gpu,n,1,\n", "x,g,gpu,n,2,\n"], "line 3"),
        ([HEADER, "2,g,gpu,n,1,\n", "1,g,gpu,n,2,\n"], "line 3: t_seconds falls"),
        ([HEADER, "0,g,gpu,n,1,2\n"], "line 2: give either joules or watts"),
        ([HEADER, "0,g,gpu,n,,\n"], "line 2: give either joules or watts"),
        ([HEADER, "0,g,gpu,n,1,\n", "1,g,gpu,n,,2\n"], "line 3: g has joules on some lines and watts on others"),
        ([HEADER, "0,g,toaster,n,1,\n"], "line 2: 'toaster' is not a valid Kind"),
        ([HEADER, "0,,gpu,n,1,\n"], "line 2: the domain has no id"),
        ([HEADER, "0,g,gpu,n,-1,\n"], "line 2: -1 is not a number of at least zero"),
        ([HEADER, "nan,g,gpu,n,1,\n"], "line 2: nan is not a number of at least zero"),
        ([HEADER, "0,g,gpu,n,,inf\n"], "line 2: inf is not a number of at least zero"),
        ([HEADER, "0,g\n"], "line 2"),
    ],
)
def test_a_broken_trace_is_refused_by_line(lines: list[str], complaint: str) -> None:
    """The error names the line and what is wrong with it."""
    with pytest.raises(RecordError) as caught:
        replay(lines, ManualClock())

    assert complaint in str(caught.value)

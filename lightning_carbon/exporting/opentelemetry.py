"""A run's figures as OpenTelemetry's metrics, by its conventions for hardware where these have a name.

The instruments are made once for each provider, which asks for observations whenever it exports: the API has no way to
take an instrument back. Of a run that has ended, the last counts stay, so that an export which comes later has them; at
most those of eight runs.

References:
    https://opentelemetry.io/docs/specs/semconv/hardware/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from opentelemetry.metrics import MeterProvider, Observation, get_meter_provider

from lightning_carbon.energy.condition import Gauge
from lightning_carbon.energy.readings import Kind

if TYPE_CHECKING:
    from lightning_carbon.exporting.live import LiveRun
    from lightning_carbon.records.run import RunRecord

HARDWARE: Final[Mapping[str, str]] = {Kind.GPU: "gpu", Kind.PACKAGE: "cpu", Kind.DRAM: "memory"}
"""The words for ``hw.type``; whatever is larger is an enclosure."""
_ENCLOSURE: Final = "enclosure"
_PROVENANCE: Final = "lightning_carbon.provenance"
_MOST_RUNS: Final = 8
_SHORTEST_SECONDS: Final = 0.5
"""The least time that a mean power is given of; ours, as readings settle twice a second."""


class Component(NamedTuple):
    """What has an energy of its own: a domain of the run, or one of its machines at its plug.

    Args:
        id: Unique in the run.
        kind: The kind of a domain; ``machine`` for a machine.
        joules: Its energy so far.
        attributes: What distinguishes the component, and its run.
    """

    id: str
    kind: str
    joules: float
    attributes: dict[str, str]


class RunView:
    """A run as its observations show it.

    Args:
        run: The run.
    """

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._ended: RunRecord | None = None
        self._before: dict[str, tuple[float, float]] = {}
        self._watts: dict[str, float] = {}

    def end(self) -> None:
        """Keep the last record, and nothing else of the run."""
        self._ended = self._run.record()

    @property
    def record(self) -> RunRecord:
        """The record so far."""
        return self._ended or self._run.record()

    def powers(self) -> Iterator[tuple[Component, float]]:
        """The mean power of each component since it was asked for before; none of a run that has ended."""
        if self._ended is not None:
            return
        record = self._run.record()
        for component in components_of(record):
            seconds, joules = self._before.get(component.id, (0.0, 0.0))
            if record.duration_seconds - seconds >= _SHORTEST_SECONDS:
                self._watts[component.id] = (component.joules - joules) / (record.duration_seconds - seconds)
                self._before[component.id] = record.duration_seconds, component.joules
            if component.id in self._watts:
                yield component, self._watts[component.id]

    def readings(self, gauge: Gauge) -> Iterator[tuple[Component, float]]:
        """The last readings of devices, where they have such a gauge; none of a run that has ended."""
        readings = {} if self._ended is not None else self._run.readings()
        for component in components_of(self._run.record()) if readings else ():
            value = readings.get(component.id, {}).get(gauge)
            if value is not None:
                yield component, value


Observe = Callable[[RunView], Iterable[Observation]]


class Instruments:
    """The instruments of a provider, which show its runs.

    Args:
        provider: The provider.
    """

    def __init__(self, provider: MeterProvider) -> None:
        self._views: list[RunView] = []
        meter = provider.get_meter("lightning_carbon")
        counter, gauge = meter.create_observable_counter, meter.create_observable_gauge
        level = meter.create_observable_up_down_counter
        energy, host = "Energy consumed by the component", "of the whole machine"
        counter("hw.energy", [self._shows(_energy(of_host=False))], "J", energy)
        counter("hw.host.energy", [self._shows(_energy(of_host=True))], "J", f"Energy {host}")
        power = "Mean power since the last collection"
        gauge("hw.power", [self._shows(_power(of_host=False))], "W", power)
        gauge("hw.host.power", [self._shows(_power(of_host=True))], "W", f"{power}, {host}")
        gauge("hw.gpu.utilization", [self._shows(_reading(Gauge.UTILIZATION))], "1", "Share of the time it computed")
        level("hw.gpu.memory.usage", [self._shows(_reading(Gauge.MEMORY_USED))], "By", "Memory in use")
        gauge("hw.temperature", [self._shows(_temperatures)], "Cel", "Temperature of the component")
        gauge("lightning_carbon.co2e", [self._shows(_grams)], "g", "CO2e of the run so far, PUE included")
        counter("lightning_carbon.steps", [self._shows(_steps)], "{step}", "Training steps")

    def add(self, view: RunView) -> None:
        """Show a run from now on, in the place of the oldest where there are many."""
        self._views = [*self._views, view][-_MOST_RUNS:]

    def _shows(self, observe: Observe) -> Callable[[Any], Iterable[Observation]]:
        def callback(_: Any) -> Iterable[Observation]:  # noqa: ANN401 - the API's options, which have nothing for us
            return [observation for view in self._views for observation in observe(view)]

        return callback


_instruments: WeakKeyDictionary[MeterProvider, Instruments] = WeakKeyDictionary()
_lock: Final = Lock()


def observe(run: LiveRun, provider: object = True) -> Callable[[], None]:  # noqa: FBT002 - as the setting has it
    """Show a run to a provider of meters.

    Args:
        run: The run.
        provider: The provider; ``True`` for the provider that the program sets.

    Returns:
        What ends the run; its last counts stay.
    """
    chosen = provider if isinstance(provider, MeterProvider) else get_meter_provider()
    with _lock:
        instruments = _instruments.get(chosen) or Instruments(chosen)
        _instruments[chosen] = instruments
    view = RunView(run)
    instruments.add(view)
    return view.end


def components_of(record: RunRecord) -> Iterator[Component]:
    """The components of a run, with the attributes of each and of the run."""
    of_run = _of_run(record)
    for domain in record.energy.domains:
        attributes = {
            "hw.id": domain.id,
            "hw.type": HARDWARE.get(domain.kind, _ENCLOSURE),
            "hw.name": domain.name,
            _PROVENANCE: domain.provenance,
            **of_run,
        }
        if domain.parent is not None:
            attributes["hw.parent"] = domain.parent
        yield Component(domain.id, domain.kind, domain.joules, attributes)
    for host in () if record.machine is None else record.machine.hosts:
        attributes = {"hw.id": host.host, "hw.name": host.host, _PROVENANCE: host.provenance, **of_run}
        yield Component(host.host, Kind.MACHINE, host.joules, attributes)


def _energy(*, of_host: bool) -> Observe:
    """What observes the energy of the components, or of the whole machine, which must not be among them."""

    def energies(view: RunView) -> Iterator[Observation]:
        for component in components_of(view.record):
            if (component.kind == Kind.MACHINE) is of_host:
                yield Observation(component.joules, component.attributes)

    return energies


def _power(*, of_host: bool) -> Observe:
    """What observes the power of the components, or of the whole machine."""

    def powers(view: RunView) -> Iterator[Observation]:
        for component, watts in view.powers():
            if (component.kind == Kind.MACHINE) is of_host:
                yield Observation(watts, component.attributes)

    return powers


def _reading(gauge: Gauge) -> Observe:
    def observed(view: RunView) -> Iterator[Observation]:
        for component, value in view.readings(gauge):
            if component.kind == Kind.GPU:
                yield Observation(value, component.attributes)

    return observed


def _temperatures(view: RunView) -> Iterator[Observation]:
    """A sensor of temperature is a component of its own, whose parent is what it lies in."""
    for component, value in view.readings(Gauge.TEMPERATURE):
        own = {"hw.id": f"{component.id}/temperature", "hw.type": "temperature", "hw.parent": component.id}
        yield Observation(value, component.attributes | own)


def _grams(view: RunView) -> Iterator[Observation]:
    record = view.record
    if record.carbon.grams_co2e is not None:
        yield Observation(record.carbon.grams_co2e, _of_run(record))


def _steps(view: RunView) -> Iterator[Observation]:
    record = view.record
    yield Observation(record.steps, _of_run(record))


def _of_run(record: RunRecord) -> dict[str, str]:
    return {"lightning_carbon.run.id": record.run_id, "lightning_carbon.project": record.project}

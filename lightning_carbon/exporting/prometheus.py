"""A run's figures for Prometheus, at an address of this machine alone.

Names and units are those of Prometheus's conventions; what only grows is a counter, so ``rate()`` of energy is watts.
CO2e and the energy of the machine are gauges, since a later factor, or a later reading, may correct them downwards.
A request that takes long holds up other requests, and nothing else.

References:
    https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import threading
from functools import partial
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from lightning_carbon.records.hardware import outer_domains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from lightning_carbon.exporting.live import LiveRun
    from lightning_carbon.records.run import RunRecord

LOOPBACK: Final = "127.0.0.1"
PREFIX: Final = "lightning_carbon_"
_TIMEOUT_SECONDS: Final = 5.0
"""How long a request may take to arrive; ours, Prometheus's own are there at once."""
_LOOK_SECONDS: Final = 0.1
"""How often the server looks whether it is to end, which a run waits for; ours."""
_PATIENCE_SECONDS: Final = 0.5
"""How long the end of a run waits for a request; ours, a record is made in milliseconds."""


class RunCollector(Collector):
    """Makes the metrics of a run whenever they are asked for.

    Args:
        run: The run.
    """

    def __init__(self, run: LiveRun) -> None:
        self._run = run

    def collect(self) -> Iterator[Metric]:
        """The metrics of the run so far; absent is what is not known."""
        record = self._run.record()
        yield InfoMetricFamily(f"{PREFIX}run", "The run that the other metrics are of.", _labels(record))
        yield from _energy(record)
        yield from _counts(record)
        yield from _priced(record)


class MetricsServer:
    """Serves the metrics of a run to Prometheus, until it is closed.

    Args:
        run: The run.
        port: The port on loopback; 0 for any that is free.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, run: LiveRun, port: int) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(RunCollector(run))
        self._server = _LoopbackServer((LOOPBACK, port), _QuietHandler)
        self._server.set_app(make_wsgi_app(registry))
        self.port: int = self._server.server_port
        serve = partial(self._server.serve_forever, _LOOK_SECONDS)
        threading.Thread(target=serve, name="lightning-carbon-prometheus", daemon=True).start()

    def close(self) -> None:
        """Give the port back; a request under way is waited for during a moment alone."""
        ending = threading.Thread(target=self._server.shutdown, name="lightning-carbon-prometheus-end", daemon=True)
        ending.start()
        ending.join(_PATIENCE_SECONDS)
        self._server.server_close()


class _LoopbackServer(WSGIServer):
    def server_bind(self) -> None:
        """Bind without asking a name server for the name of this host, as the base would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]
        self.setup_environ()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that hangs up."""


class _QuietHandler(WSGIRequestHandler):
    timeout = _TIMEOUT_SECONDS

    def log_message(self, *_: object) -> None:
        """Print nothing of a request."""


def _labels(record: RunRecord) -> dict[str, str]:
    intensity = record.carbon.intensity
    return {
        "run_id": record.run_id,
        "project": record.project,
        "run_name": record.run_name or "",
        "status": record.status,
        "region": intensity.place,
    }


def _energy(record: RunRecord) -> Iterator[Metric]:
    """The energy of the run, in families whose samples may be summed."""
    by_domain = CounterMetricFamily(
        f"{PREFIX}energy_joules",
        "Energy of the chips since the start of the run, without PUE.",
        labels=("kind", "domain", "name", "provenance"),
    )
    for domain in outer_domains(record.energy.domains):
        by_domain.add_metric((domain.kind, domain.id, domain.name, domain.provenance), domain.joules)
    yield by_domain
    by_phase = CounterMetricFamily(f"{PREFIX}phase_energy_joules", "The same energy by phase.", labels=("phase",))
    for phase, joules in record.energy.phases.items():
        by_phase.add_metric((phase,), joules)
    yield by_phase
    yield _gauge("coverage_ratio", "Share of the run that readings cover.", record.energy.coverage_ratio)


def _counts(record: RunRecord) -> Iterator[Metric]:
    counts = {
        "run_seconds": ("How long the run has lasted.", record.duration_seconds),
        "steps": ("Training steps.", record.steps),
        "samples": ("Samples of the steps.", record.samples),
        "tokens": ("Tokens of the steps.", record.tokens),
    }
    for name, (meaning, value) in counts.items():
        if value is not None:
            yield CounterMetricFamily(PREFIX + name, meaning, value)


def _priced(record: RunRecord) -> Iterator[Metric]:
    if record.carbon.grams_co2e is not None:
        yield _gauge("co2e_grams", "CO2e of the run so far, PUE included, location-based.", record.carbon.grams_co2e)
    if record.machine is not None:
        yield _gauge("machine_energy_joules", "Energy of the machines at their plugs so far.", record.machine.joules)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, meaning, value)

"""``lightning-carbon doctor --certify``: a self-test of this machine's sensors, as JSON that may be passed on.

It holds no name of the host or a user, and no serial number or UUID of a device. The keys:

``schema``, ``seconds``, ``package``, ``python``, ``driver``, ``processor``, ``processors``, ``accelerators``
    What was tested, for how long, and on what.
``sources``
    Each sensor with its ``kind``, ``model``, ``method``, ``provenance``, ``port`` and ``uncertainty_ratio``; by phase
    (``idle``, ``cpu`` and, where torch can use a GPU, ``gpu``) its mean ``watts``, ``tick_seconds`` (an upper bound
    where ``tick_is_upper_bound``), ``read_seconds``, ``readings``, ``failed_readings`` and ``trouble``;
    ``lag_seconds``, how long after the begin of a load its power had risen half of the way; and
    ``counter_to_power_ratio`` by phase, where a counter has a gauge beside it.
``not_tested``
    What could not be tested, and why.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon import __version__
from lightning_carbon.cli.calibrate.loads import CPU, GPU, IDLE, Load, loads, start
from lightning_carbon.cli.doctor.watch import PATIENCE_SECONDS, Watcher
from lightning_carbon.energy.readings import Kind
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.cli.doctor.watch import Reading
    from lightning_carbon.ports import Finding, Source

SCHEMA: Final = 1
_BIN_NS: Final = NANOSECONDS_PER_SECOND // 10
_LEAST_RISE: Final = 1.2
"""The least rise of a power, as a ratio, for which a lag is told; ours."""
_SERIAL: Final = re.compile(
    r"\s*\b(?:GPU|MIG)-[0-9a-f]{8}-[0-9a-f-]{27}\b|\s*\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d\b"
)
_SHORT_OF_READINGS: Final = 3


class CertifiedMachine(NamedTuple):
    """What is known of the machine.

    Args:
        driver: The version of NVIDIA's driver.
        processor: The model of its processors.
        accelerators: The models of its accelerators.
    """

    driver: str | None
    processor: str | None
    accelerators: tuple[str, ...]


def certify(
    findings: Sequence[Finding],
    seconds: float,
    facts: CertifiedMachine,
    *,
    has_gpu: bool,
    begin: Callable[[Load], object] = print,
) -> dict[str, Any]:
    """Watch every sensor while the machine is idle and loaded.

    Args:
        findings: The findings of discovery.
        seconds: How long in all.
        facts: What is known of the machine.
        has_gpu: Whether it has a GPU that torch can use.
        begin: Called with each load before it begins.
    """
    usable = [finding for finding in findings if finding.port is not None]
    sources = [finding.port for finding in usable if finding.port is not None]
    witnesses = {place: finding.fallback for place, finding in enumerate(usable) if finding.fallback is not None}
    planned = loads(seconds / (3 if has_gpu else 2), has_gpu=has_gpu, prefix="certify")
    phases: dict[str, list[_Seen]] = {}
    for load in planned:
        begin(load)
        phases[load.name.removeprefix("certify-")] = _watch([*sources, *witnesses.values()], load)
    told = []
    for place, source in enumerate(sources):
        seen = {name: watched[place] for name, watched in phases.items()}
        beside = list(witnesses).index(place) + len(sources) if place in witnesses else None
        ratios = {name: _ratio(watched[place], watched[beside]) for name, watched in phases.items()} if beside else {}
        told.append(_described(source, seen, ratios))
    return {
        "schema": SCHEMA,
        "seconds": seconds,
        "package": __version__,
        "python": platform.python_version(),
        "driver": facts.driver,
        "processor": facts.processor,
        "processors": os.cpu_count(),
        "accelerators": list(facts.accelerators),
        "sources": told,
        "not_tested": _not_tested(findings, sources, has_gpu=has_gpu),
    }


class _Seen(NamedTuple):
    watcher: Watcher
    hangs: bool
    began_ns: int


def _watch(sources: Sequence[Source], load: Load) -> list[_Seen]:
    """Read sources over a load, which begins after a tenth of the time."""
    watchers = [Watcher(source, load.seconds) for source in sources]
    threads = [threading.Thread(target=watcher.run, daemon=True) for watcher in watchers]
    end = time.monotonic() + load.seconds
    for thread in threads:
        thread.start()
    programs: list[subprocess.Popen[bytes]] = []
    try:
        time.sleep(load.seconds / 10)
        programs.extend(map(start, load.programs))
        began_ns = time.monotonic_ns()
        time.sleep(max(0.0, end - time.monotonic()))
        for thread in threads:
            thread.join(max(0.0, end + PATIENCE_SECONDS - time.monotonic()))
    finally:
        for program in programs:
            program.kill()
        for program in programs:
            program.wait()
    return [_Seen(watcher, thread.is_alive(), began_ns) for watcher, thread in zip(watchers, threads, strict=True)]


def _described(source: Source, seen: dict[str, _Seen], ratios: dict[str, float | None]) -> dict[str, Any]:
    sensor = source.sensor
    phases: dict[str, dict[str, Any]] = {}
    for name, phase in seen.items():
        # The plateau: the second half of the load.
        middle_ns = phase.began_ns + round(phase.watcher.seconds * 0.4 * NANOSECONDS_PER_SECOND)
        watched = phase.watcher.result(hangs=phase.hangs)
        shown = _powers(source, phase.watcher.taken, middle_ns)
        phases[name] = {
            "watts": sum(watts for _, watts in shown) / len(shown) if shown else None,
            "tick_seconds": watched.tick_seconds,
            "tick_is_upper_bound": watched.tick_is_upper_bound,
            "read_seconds": watched.read_seconds,
            "readings": watched.readings,
            "failed_readings": watched.failed,
            "trouble": _anonymous(watched.trouble),
        }
    idle = phases[IDLE]["watts"]
    lags = {
        name: _lag(source, phase, idle=idle, loaded=phases[name]["watts"])
        for name, phase in seen.items()
        if name != IDLE
    }
    return {
        "kind": sensor.domain.kind.value,
        "model": _anonymous(sensor.domain.name),
        "method": _anonymous(sensor.method),
        "provenance": sensor.provenance.value,
        "port": "counter" if isinstance(source, EnergyCounter) else "gauge",
        "uncertainty_ratio": sensor.uncertainty_ratio,
        "accuracy": None if sensor.accuracy is None else asdict(sensor.accuracy),
        "phases": phases,
        "lag_seconds": {name: lag for name, lag in lags.items() if lag is not None},
        "counter_to_power_ratio": {name: ratio for name, ratio in ratios.items() if ratio is not None},
    }


def _powers(source: Source, taken: Sequence[Reading], from_ns: int) -> list[tuple[int, float]]:
    """The mean power of each tenth of a second, with the middle of it."""
    after = [reading for reading in taken if reading.at_ns >= from_ns]
    if len(after) < _SHORT_OF_READINGS:
        return []
    if not isinstance(source, EnergyCounter):
        return [(reading.at_ns, reading.value) for reading in after]
    found, last = [], after[0]
    for reading in after[1:]:
        span_ns = reading.at_ns - last.at_ns
        if span_ns < _BIN_NS:
            continue
        if reading.value > last.value:
            watts = (reading.value - last.value) / MICROJOULES_PER_JOULE / (span_ns / NANOSECONDS_PER_SECOND)
            found.append(((reading.at_ns + last.at_ns) // 2, watts))
            last = reading
        elif reading.value < last.value:  # it wrapped, or began again
            last = reading
    return found


def _lag(source: Source, phase: _Seen, *, idle: float | None, loaded: float | None) -> float | None:
    """The seconds from the begin of a load until half of the rise is shown; ``None`` where it hardly rises."""
    if idle is None or loaded is None or loaded < _LEAST_RISE * idle:
        return None
    half = (idle + loaded) / 2
    powers = _powers(source, phase.watcher.taken, phase.began_ns)
    rise_ns = next((at_ns for at_ns, watts in powers if watts >= half), None)
    return None if rise_ns is None else (rise_ns - phase.began_ns) / NANOSECONDS_PER_SECOND


def _ratio(counter: _Seen, gauge: _Seen) -> float | None:
    """The power by a counter over the power by the gauge beside it."""
    counted, shown = (seen.watcher.result(hangs=seen.hangs).watts for seen in (counter, gauge))
    return counted / shown if counted and shown else None


def _not_tested(findings: Sequence[Finding], sources: Sequence[Source], *, has_gpu: bool) -> list[str]:
    found = [
        f"{finding.source}, {_anonymous(finding.subject)}: {_anonymous(finding.reason)}"
        for finding in findings
        if finding.port is None
    ]
    if not has_gpu:
        found.append(f"{GPU}: there is no GPU that torch can use")
    if not any(source.sensor.provenance.is_measured for source in sources):
        found.append(f"{IDLE}, {CPU}: nothing is measured on this machine, and models say nothing of its sensors")
    if not any(source.sensor.domain.kind is Kind.MACHINE for source in sources):
        found.append("wall: nothing sees the whole machine")
    return found


def _anonymous(text: str) -> str:
    """A text without what names a device, this host, or a user."""
    clean = _SERIAL.sub("", text)
    for name in {platform.node(), Path.home().name} - {"", "root", "localhost"}:
        clean = re.sub(rf"\b{re.escape(name)}\b", "…", clean)
    return clean

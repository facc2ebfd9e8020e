"""The journal of this rank: a description of the rank, once, and its usage so far, at every beat."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lightning_carbon.energy.phases import Part, parts_in_order, phases_in_order
from lightning_carbon.metering.arguments import role_of
from lightning_carbon.metering.outlook import ToldOfSteps
from lightning_carbon.metering.probes import sums_at
from lightning_carbon.ports import ClockUse
from lightning_carbon.records.joined import of_this_process
from lightning_carbon.records.journal import JOURNAL_SCHEMA, Beat, DomainDescription, Header, PartBeat, PhaseBeat
from lightning_carbon.records.run import Status
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.energy.attribution import PhaseUsage, Usage
    from lightning_carbon.energy.condition import ConditionSum
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.metering.adapters import Adapters
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.records.lineage import Resumed
    from lightning_carbon.settings import MeterConfig


NOTHING_TOLD = ToldOfSteps()
"""No loop or trainer has said anything of its steps."""
HOST_ALONE = ClockUse(host_marks=1)
"""The clock use of a program without a device, which times its steps itself."""


def header_of(config: MeterConfig, adapters: Adapters, sensors: Sequence[Sensor], *, started_at: float) -> Header:
    """The first line of a journal.

    Args:
        config: The settings, checked.
        adapters: The adapters of the run.
        sensors: The sensors, in the order of the beats.
        started_at: When the run started, in seconds since 1970.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started_at))
    domains = [domain_of(sensor) for sensor in sensors]
    if config.join:
        rank = adapters.ranks.rank
        own = {domain.id: of_this_process(domain, rank) for domain in domains}
        domains = [
            replace(domain, id=own[domain.id], parent=own.get(domain.parent or "", domain.parent)) for domain in domains
        ]
    return Header(
        schema=JOURNAL_SCHEMA,
        run_id=f"{stamp}-{os.urandom(4).hex()}",
        project=adapters.project or config.project,
        run_name=config.run_name,
        rank=adapters.ranks.rank,
        local_rank=adapters.ranks.local_rank,
        world_size=adapters.ranks.world_size,
        host_id=adapters.ranks.host_id,
        pid=os.getpid(),
        pid_started=adapters.pid_started,
        started_at=started_at,
        host=dict(adapters.host),
        domains=tuple(domains),
        absent=tuple(finding for finding in adapters.findings if finding.port is None),
        intensity=config.intensity,
        pue=config.pue,
        pid_namespace=adapters.pid_namespace,
        market_intensity=config.market_intensity,
        wue=config.wue,
        rest=adapters.rest,
        subject=adapters.subject,
        trial=adapters.trial,
        role=role_of(config),
    )


def domain_of(sensor: Sensor) -> DomainDescription:
    """The description of a sensor and its domain, for the journal."""
    domain = sensor.domain
    return DomainDescription(
        id=domain.id,
        kind=domain.kind.value,
        name=domain.name,
        provenance=sensor.provenance.value,
        uncertainty_ratio=sensor.uncertainty_ratio,
        method=sensor.method,
        parent=domain.parent,
        accuracy=sensor.accuracy,
    )


def beat_of(
    usage: Usage,
    probes: Sequence[Probe],
    at_seconds: float,
    *,
    status: Status,
    resumed: Resumed | None = None,
    told: ToldOfSteps = NOTHING_TOLD,
    clock_use: ClockUse = HOST_ALONE,
) -> Beat:
    """The usage of a rank so far, in the form of its journal.

    Args:
        usage: The usage since the start.
        probes: What is metered, each with the reason and the moment of its loss, if it was lost; none where only what
            was used is asked for.
        at_seconds: Now, in seconds since 1970.
        status: The status of the rank.
        resumed: The training that this run continues.
        told: What the trainer says of its steps.
        clock_use: The clocks that timed the steps; by default the host's.
    """
    lost_at_ns = (probe.lost_at_ns for probe in probes)
    return Beat(
        at=at_seconds,
        status=status.value,
        ns=usage.end_ns - usage.start_ns,
        steps=usage.steps,
        samples=usage.samples,
        tokens=usage.tokens,
        step_ns=usage.step_nanoseconds,
        step_uj=tuple(usage.step_microjoules),
        phases={str(phase): _phase_beat(usage.phases[phase]) for phase in phases_in_order(usage.phases)},
        lost=tuple(probe.lost for probe in probes),
        lost_ns=tuple(None if at_ns is None else at_ns - usage.start_ns for at_ns in lost_at_ns),
        sensors=tuple(probe.told(usage.start_ns) for probe in probes),
        resumed=resumed,
        parts={
            str(phase): {str(part): _part_beat(used.parts[part]) for part in parts_in_order(used.parts)}
            for phase, used in usage.phases.items()
            if _has_parts(used)  # else no part was marked
        },
        cadence_ns=tuple(probe.cadence_ns for probe in probes) if any(map(_has_parts, usage.phases.values())) else (),
        steps_per_epoch=told.steps_per_epoch,
        tokens_with_padding=told.with_padding,
        ahead=told.ahead,
        accepted=told.accepted,
        padding=told.padding,
        model=told.model,
        conditions=sums_at(probes),
        step_clock=clock_use.clock,
        step_clock_reason=clock_use.reason,
    )


def usage_beat(usage: Usage, at_seconds: float, conditions: tuple[ConditionSum | None, ...] = ()) -> Beat:
    """The usage of a rank so far alone, as every row needs it: less work than :func:`beat_of`.

    Args:
        usage: The usage since the start.
        at_seconds: Now, in seconds since 1970.
        conditions: What the gauges of its devices have shown.
    """
    used = usage.phases
    names = used if len(used) == 1 else phases_in_order(used)
    return Beat(
        at_seconds,
        Status.RUNNING.value,
        usage.end_ns - usage.start_ns,
        usage.steps,
        usage.samples,
        usage.tokens,
        step_ns=usage.step_nanoseconds,
        step_uj=tuple(usage.step_microjoules),
        phases={str(phase): _phase_beat(used[phase]) for phase in names},
        lost=(),
        conditions=conditions,
    )


def _has_parts(used: PhaseUsage) -> bool:
    return bool(used.parts.keys() - {Part.OTHER})


def _part_beat(used: PhaseUsage) -> PartBeat:
    return PartBeat(used.nanoseconds, tuple(used.microjoules), used.visits)


def _phase_beat(used: PhaseUsage) -> PhaseBeat:
    return PhaseBeat(used.nanoseconds, tuple(used.microjoules), tuple(used.covered))

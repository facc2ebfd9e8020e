"""What the doctor says of the whole machine: its class, and how the rest of it beside its chips is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.cli.doctor.report import MachineReport
from lightning_carbon.energy.readings import Kind
from lightning_carbon.settings import MACHINE
from lightning_carbon.sources.discovery import class_of_machine
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lightning_carbon.ports import Finding
    from lightning_carbon.settings.checks import Machine

ASSUMED: Final = "assumed"
CALIBRATED: Final = "calibrated"


def machine_report(
    machine: Machine, findings: Sequence[Finding], environ: Mapping[str, str], *, root: Path
) -> MachineReport:
    """Report on the machine.

    Args:
        machine: The setting in force.
        findings: The findings of discovery.
        environ: The environment variables.
        root: Where ``proc`` and ``sys`` are.
    """
    if machine == "none":
        reason = "the rest of the machine is left out, as the setting says"
        return MachineReport("none", MACHINE.variable, assumed=False, boundary=Boundary.CHIPS, reason=reason)
    found = class_of_machine(findings, environ, root=root)
    model = found if isinstance(machine, str) else replace(machine, portion=found.portion)
    sensors = (finding.port.sensor for finding in findings if finding.port is not None)
    method = next((sensor.method for sensor in sensors if sensor.domain.kind is Kind.MACHINE), None)
    return MachineReport(
        machine=model.machine,
        from_=ASSUMED if model.assumed else CALIBRATED if machine == "auto" else MACHINE.variable,
        assumed=model.assumed,
        boundary=Boundary.MACHINE,
        reason=model.reason,
        source=model.source,
        # A sensor sees the whole machine, of which this job has a part alone.
        measured_by=method if model.portion == 1 else None,
        constant_watts=model.constant_watts,
        constant_low_watts=model.constant_low_watts,
        constant_high_watts=model.constant_high_watts,
        share=model.share,
        share_low=model.share_low,
        share_high=model.share_high,
        portion=model.portion,
    )

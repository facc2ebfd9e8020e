"""Redfish: the whole machine as its service processor measures it, for those who ask for that by its address.

A thread of its own asks every two seconds and hands over what it was told; nothing in a training waits for it, and
looking up the name of a service processor, which has no time-out, holds up that thread alone. It ends once nobody has
read for half a minute, and asks seldom where it is not answered.

References:
    DMTF DSP0266, Redfish Specification; DSP0268, Redfish Data Model Specification: Chassis, Power (``PowerControl``,
    deprecated in 2020.4) and EnvironmentMetrics (``PowerWatts``, ``EnergykWh``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.machines import MACHINE_ID, SOURCE, UNCERTAINTY_RATIO
from lightning_carbon.sources.redfish.gauge import FRESH_SECONDS, RedfishGauge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.settings.redfish import RedfishPlan

SUBJECT: Final = "machine (Redfish)"
WAIT_SECONDS: Final = 20.0
"""How long commands wait for the first answer; a training does not."""


def sensor() -> Sensor:
    """The description of a machine that Redfish shows."""
    method = "Redfish, the power that the service processor shows (PowerConsumedWatts, PowerWatts), integrated"
    accuracy = Accuracy(UNCERTAINTY_RATIO, UNCERTAINTY_RATIO, blur_seconds=FRESH_SECONDS / 2)
    domain = Domain(Kind.MACHINE, MACHINE_ID, "machine at its plug")
    return Sensor(domain, Provenance.INTEGRATED, UNCERTAINTY_RATIO, method, accuracy=accuracy)


def discover(plan: RedfishPlan, environ: Mapping[str, str] = os.environ, *, wait_seconds: float = 0.0) -> Finding:
    """The machine as a service processor shows it.

    Args:
        plan: The service processor.
        environ: The environment variables, with the secrets.
        wait_seconds: How long to wait for its first answer. Without a wait nothing is opened yet, and the machine
            counts as found: what comes later is used from then on.
    """
    gauge = RedfishGauge.of(plan, sensor(), environ)
    if wait_seconds and not gauge.wait(wait_seconds):
        fix = "see that this machine reaches the address, and what its variables say"
        return Finding(SOURCE, SUBJECT, reason=gauge.trouble or f"no answer in {wait_seconds:g} s", fix=fix)
    return Finding(SOURCE, SUBJECT, gauge)

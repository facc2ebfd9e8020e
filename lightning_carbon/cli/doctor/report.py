"""The report of ``lightning-carbon doctor``, and its JSON.

The JSON is for programs and stable: within a ``schema`` keys are only ever added. Times are in seconds, power in watts;
unknown values are ``null``.

``usable``
    Whether at least one source can be read; the exit code says the same.
``sources``
    Everything that was tried, in the order of discovery, each with:

    * ``source``, ``subject``: the adapter and what it tried.
    * ``verdict``: ``"usable"``; ``"still"``, a counter that did not move while it was watched; ``"failing"``, found
      and not readable; ``"unusable"``, for the ``reason``, and with the ``fix`` where there is one.
    * ``domain``, ``kind``, ``name``, ``parent``, ``provenance``, ``method``, ``uncertainty_ratio``: what it says of
      itself; ``parent`` is the domain that includes it.
    * ``accuracy``: its range, where more is known of it than a half width: ``below_ratio`` and ``above_ratio`` as
      shares, ``below_watts`` and ``above_watts`` besides, and ``blur_seconds``, the stretch of time that it may have
      seen wrong.
    * ``port``: ``"counter"`` or ``"gauge"``.
    * ``readings``, ``failed_readings``, ``moves``: how often it was read, in vain, and with another value than before.
    * ``tick_seconds``, ``tick_is_upper_bound``: how often its value moves; an upper bound where that was every reading.
    * ``read_seconds``: the median cost of one reading. ``watts``: the mean power while it was watched.
    * ``condition``: what the device tells beside its power, in words, such as its temperature; empty where nothing.
``devices``
    ``setting`` and where it is ``from``; ``cuda_visible_devices``, ``cuda_device_order``, a ``remark`` on them; the
    ``trouble`` that kept NVML from being used; and ``found``, each with ``kind`` (``"gpu"``, ``"mig"``), ``index``
    (NVML's), ``name``, ``uuid``, ``cuda_index`` (what torch counts it as, ``null`` where hidden), ``metered``,
    ``trouble``.
``region``, ``pue``
    The factor in force with its range, source and where it is ``from``: an option, a variable, or ``"assumed"``.
``machine``
    The class of the ``machine`` and where that is ``from``; the ``boundary`` of CO2e, ``"machine"`` or ``"chips"``; the
    sensor that the rest of the machine is ``measured_by``, if there is one; and the model for the time that none is
    read: ``constant_watts`` of the whole machine, of which the job has the ``portion``, and the ``share`` of the chips'
    energy, each with its ends, with ``reason`` and ``source``.
``ledger``
    The ``folder``, where it is ``from`` (or ``"default"``), whether it is ``writable``, and if not the ``trouble``.
``versions``
    Of this package, Python, the kernel, the NVIDIA driver, and of the libraries that are installed.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Final

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.sources.nvml import Device
from lightning_carbon.values import dataclass

SCHEMA: Final = 1


class SourceVerdict(StrEnum):
    """The judgement of a source."""

    USABLE = "usable"
    STILL = "still"
    FAILING = "failing"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """A source that was tried; the fields are those of the JSON."""

    source: str
    subject: str
    verdict: SourceVerdict
    reason: str = ""
    fix: str = ""
    domain: str | None = None
    kind: str | None = None
    name: str | None = None
    parent: str | None = None
    provenance: str | None = None
    method: str | None = None
    uncertainty_ratio: float | None = None
    accuracy: Accuracy | None = None
    port: str | None = None
    readings: int = 0
    failed_readings: int = 0
    moves: int = 0
    tick_seconds: float | None = None
    tick_is_upper_bound: bool = False
    read_seconds: float | None = None
    watts: float | None = None
    condition: str = ""

    @property
    def usable(self) -> bool:
        """Whether the source can be read."""
        return self.verdict in {SourceVerdict.USABLE, SourceVerdict.STILL}


@dataclass(frozen=True, slots=True)
class DevicesReport:
    """The GPUs; the fields are those of the JSON."""

    setting: str
    from_: str
    cuda_visible_devices: str | None
    cuda_device_order: str | None
    remark: str
    trouble: str
    found: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class RegionReport:
    """The carbon intensity; the fields are those of the JSON."""

    region: str
    from_: str
    assumed: bool
    grams_co2e_per_kilowatt_hour: float
    low: float
    high: float
    year: int | None
    source: str


@dataclass(frozen=True, slots=True)
class PueReport:
    """The site's overhead; the fields are those of the JSON."""

    value: float
    from_: str
    assumed: bool
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class MachineReport:
    """The whole machine, and how the rest of it beside its chips is known; the fields are those of the JSON."""

    machine: str
    from_: str
    assumed: bool
    boundary: str
    reason: str = ""
    source: str = ""
    measured_by: str | None = None
    constant_watts: float | None = None
    constant_low_watts: float | None = None
    constant_high_watts: float | None = None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    portion: float | None = None


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The folder of records; the fields are those of the JSON."""

    folder: str
    from_: str
    writable: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report on this machine."""

    seconds: float
    sources: tuple[SourceReport, ...]
    devices: DevicesReport
    region: RegionReport
    pue: PueReport
    machine: MachineReport
    ledger: LedgerReport
    versions: dict[str, str]

    @property
    def usable(self) -> bool:
        """Whether at least one source can be read."""
        return any(source.usable for source in self.sources)

    def as_json(self) -> str:
        """The JSON that this module describes."""
        whole = asdict(self, dict_factory=_plain)
        return json.dumps({"schema": SCHEMA, "usable": self.usable, **whole}, indent=2)


def _plain(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Rename fields for JSON, where ``from`` is not reserved."""
    return {name.removesuffix("_"): value for name, value in pairs}

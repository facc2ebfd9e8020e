"""The settings that a user may give: each once, with its type, default, variable, text and check.

:data:`SETTINGS` is the truth. :func:`configure` checks against it and makes the :class:`MeterConfig` that everything
below the callbacks reads. The signatures and docstrings of :class:`~lightning_carbon.Meter`, the callbacks and
``autolog``, the options of the command line and the table in the documentation are made from it. :class:`Settings` and
:class:`MeterConfig` repeat the names, because type checkers only read source; a test compares them with the table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from lightning_carbon.carbon.budgets import Budget
from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.water import WaterUsage
from lightning_carbon.errors import ConfigError
from lightning_carbon.ports import Source
from lightning_carbon.settings import checks, folders
from lightning_carbon.settings.checks import BudgetScope, CpuScope, Detail, Devices, GpuScope, Machine, OnBudget
from lightning_carbon.settings.exports import OPENTELEMETRY, PROMETHEUS_PORT
from lightning_carbon.settings.intensities import GridSeries
from lightning_carbon.settings.joining import JOIN, ROLE
from lightning_carbon.settings.pricing import (
    INTENSITY,
    MARKET_INTENSITY,
    PUE,
    REGION,
    WUE,
    grid_in_force,
    pue_in_force,
    wue_in_force,
)
from lightning_carbon.settings.redfish import (
    PASSWORD_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    USER_VARIABLE,
    VERIFY_VARIABLE,
    RedfishPlan,
    check_redfish,
    shown_without_secrets,
)
from lightning_carbon.settings.searching import SWEEP, TRIAL
from lightning_carbon.settings.setting import Setting, refuse_unknown
from lightning_carbon.values import dataclass, replace


class Settings(TypedDict, total=False):
    """The arguments of :class:`~lightning_carbon.Meter`, by name, for type checkers."""

    region: str | Mapping[str, float] | None
    intensity: float | str | None
    pue: float | None
    project: str | None
    run_name: str | None
    ledger: os.PathLike[str] | str | None
    interval_seconds: float
    devices: Devices | None
    sources: Sequence[Source] | None
    per_step: bool
    strict: bool
    machine: str | None
    redfish: str | None
    cpu_scope: CpuScope
    gpu_scope: GpuScope
    detail: Detail
    budget: str | None
    price_per_kwh: float | None
    on_budget: OnBudget
    budget_scope: BudgetScope
    market_intensity: float | str | None
    wue: float | str | None
    device_metrics: bool
    prometheus_port: int | None
    opentelemetry: Any
    module_every: int
    sweep: str | None
    trial: int | str | None
    join: str | None
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """The settings of one meter, checked.

    The fields are those of :data:`SETTINGS`, as their checks leave them; ``region`` has become an intensity, and so has
    ``intensity`` where it is a number; where it is a file, that is ``series``.
    """

    intensity: Intensity
    pue: PowerUsage
    project: str
    run_name: str | None
    ledger: Path
    interval_seconds: float
    devices: Devices
    sources: tuple[Source, ...] | None
    per_step: bool
    strict: bool
    machine: Machine
    redfish: RedfishPlan | None = None
    cpu_scope: CpuScope = "auto"
    gpu_scope: GpuScope = "device"
    detail: Detail = "phase"
    budget: Budget | None = None
    price_per_kwh: float | None = None
    on_budget: OnBudget = "warn"
    budget_scope: BudgetScope = "run"
    market_intensity: Intensity | None = None
    wue: WaterUsage | None = None
    device_metrics: bool = False
    prometheus_port: int | None = None
    opentelemetry: object = None
    module_every: int = checks.DEFAULT_MODULE_EVERY
    sweep: str | None = None
    trial: str | None = None
    join: str | None = None
    role: str | None = None
    series: GridSeries | None = None


PROJECT: Final = Setting(
    name="project",
    type=str | None,
    check=checks.check_project,
    summary="What the run belongs to; the runs of a project add up.",
    unset=f"``{checks.DEFAULT_PROJECT}``",
    variable="LIGHTNING_CARBON_PROJECT",
    option="--project",
    metavar="NAME",
)
RUN_NAME: Final = Setting(
    name="run_name",
    type=str | None,
    check=checks.check_run_name,
    summary="A name for this run.",
    unset="none",
    variable="LIGHTNING_CARBON_RUN_NAME",
    option="--run-name",
    metavar="NAME",
)
LEDGER: Final = Setting(
    name="ledger",
    type=os.PathLike[str] | str | None,
    check=folders.check_ledger,
    summary="The folder of all runs.",
    unset="the user's data folder",
    variable="LIGHTNING_CARBON_LEDGER",
    option="--ledger",
    metavar="FOLDER",
)
INTERVAL_SECONDS: Final = Setting(
    name="interval_seconds",
    type=float,
    check=checks.check_interval,
    summary=(
        f"How often sensors are read, {checks.MIN_INTERVAL_SECONDS} to {checks.MAX_INTERVAL_SECONDS:.0f} s; where "
        "nobody asks for steps, counters are read twice a second between rows and phases."
    ),
    default=checks.DEFAULT_INTERVAL_SECONDS,
    option="--interval",
    metavar="SECONDS",
)
DEVICES: Final = Setting(
    name="devices",
    type=Devices | None,
    check=checks.check_devices,
    summary='Which accelerators: ``"auto"``, ``"all"``, or indices and UUIDs, also as a text with commas.',
    details=(
        '``"auto"`` are those that the trainer computes on; in a loop of your own those that are visible or, of '
        "several ranks on a host, the rank's own."
    ),
    unset='``"auto"``',
    variable="LIGHTNING_CARBON_DEVICES",
    option="--devices",
    metavar="DEVICES",
)
SOURCES: Final = Setting(
    name="sources",
    type=Sequence[Source] | None,
    check=checks.check_sources,
    summary=(
        "What to meter instead of what is discovered, such as a ``SimulatedGPU`` of "
        "``lightning_carbon.sources.simulated``."
    ),
    unset="what is discovered",
)
PER_STEP: Final = Setting(
    name="per_step",
    type=bool,
    check=partial(checks.check_flag, "per_step"),
    summary="Also write ``steps.csv`` into the run's folder, a line for each step.",
    default=False,
)
STRICT: Final = Setting(
    name="strict",
    type=bool,
    check=partial(checks.check_flag, "strict"),
    summary="Raise when a sensor is lost or the ledger cannot be written, at the next hook, instead of warning once.",
    default=False,
)
CPU_SCOPE: Final = Setting(
    name="cpu_scope",
    type=CpuScope,
    check=checks.check_cpu_scope,
    summary='Whose processor time is charged: ``"process"`` (this job\'s), ``"machine"`` (all), or ``"auto"``.',
    details='``"auto"`` is this job\'s where it has only a part of the machine, or where processors are modelled.',
    default="auto",
)
GPU_SCOPE: Final = Setting(
    name="gpu_scope",
    type=GpuScope,
    check=checks.check_gpu_scope,
    summary=(
        'How a GPU is charged that other processes use, too: ``"device"`` (whole, and they are named) or '
        '``"process"`` (by this job\'s share of its utilisation, modelled).'
    ),
    default="device",
)
DETAIL: Final = Setting(
    name="detail",
    type=Detail,
    check=checks.check_detail,
    summary=(
        '``"step"`` also divides training steps into their parts: waiting for data, forward, backward, optimizer; in a '
        'loop of your own what ``meter.part("forward")`` encloses. ``"module"`` also divides sampled steps into the '
        "modules of the model, forward and backward."
    ),
    default="phase",
)
MODULE_EVERY: Final = Setting(
    name="module_every",
    type=int,
    check=checks.check_module_every,
    summary=(
        'With ``detail="module"``, one step in so many is divided into modules; more at the beginning, and never so '
        "many that this takes more than 1 % of the time."
    ),
    default=checks.DEFAULT_MODULE_EVERY,
)

BUDGET: Final = Setting(
    name="budget",
    type=str | None,
    check=checks.check_budget,
    summary='What the run may use: energy (``"2 kWh"``), CO2e (``"500 g"``) or money (``"10 EUR"``).',
    details="Warned of at 50, 80 and 95 %, and when the forecast first passes it.",
    unset="no limit",
    variable="LIGHTNING_CARBON_BUDGET",
    option="--budget",
    metavar="AMOUNT",
)
PRICE_PER_KWH: Final = Setting(
    name="price_per_kwh",
    type=float | None,
    check=checks.check_price,
    summary="The price of a kWh, for a budget of money; PUE is paid for, too.",
    unset="none",
    variable="LIGHTNING_CARBON_PRICE_PER_KWH",
    parse=checks.number_of,
    option="--price-per-kwh",
    metavar="PRICE",
)
ON_BUDGET: Final = Setting(
    name="on_budget",
    type=OnBudget,
    check=checks.check_on_budget,
    summary=(
        'The consequence of a budget that is used up: ``"warn"``, ``"stop"`` or, in a trainer, '
        '``"checkpoint_and_stop"``.'
    ),
    details=(
        "A trainer ends after its step, a program gets SIGTERM, a ``Meter`` of your own raises ``BudgetReached`` at "
        "its next step. Several processes of a run stop at the end of the same step, where they write into one folder."
    ),
    default="warn",
    option="--on-budget",
    metavar="CONSEQUENCE",
)
BUDGET_SCOPE: Final = Setting(
    name="budget_scope",
    type=BudgetScope,
    check=checks.check_budget_scope,
    summary='Whose usage counts against the budget: that of the ``"run"``, or of its whole ``"lineage"``.',
    details=(
        'With ``"lineage"`` a resumed run also counts all earlier attempts at its training that the checkpoint or the '
        "ledger knows, work that was lost included."
    ),
    default="run",
    variable="LIGHTNING_CARBON_BUDGET_SCOPE",
)
MACHINE: Final = Setting(
    name="machine",
    type=str | None,
    check=checks.check_machine,
    summary=(
        "What the machine draws beside its chips, by its class: ``desktop``, ``workstation``, ``server-4gpu``, "
        "``server-8gpu-air``, ``server-8gpu-liquid``, ``cpu-node``, ``laptop``, ``cloud-vm``, or by its name, such as "
        "``dgx-h100``."
    ),
    details='A sensor of the whole machine comes first; ``"none"`` leaves the rest of the machine out.',
    unset='``"auto"``: by chassis and accelerators, marked as assumed; with ``sources``, ``"none"``',
    variable="LIGHTNING_CARBON_MACHINE",
    option="--machine",
    metavar="CLASS",
)
DEVICE_METRICS: Final = Setting(
    name="device_metrics",
    type=bool,
    check=partial(checks.check_flag, "device_metrics"),
    summary="Also log how busy, fast and full the GPUs are; temperature and throttling are always logged.",
    default=False,
)
REDFISH: Final = Setting(
    name="redfish",
    type=str | None,
    check=check_redfish,
    summary=(
        "The address of the service processor that is asked for the power of the whole machine, such as "
        "``https://bmc.example.org``; what lets the meter in stands in the environment alone."
    ),
    details=(
        f"``{TOKEN_VARIABLE}``, or ``{USER_VARIABLE}`` and ``{PASSWORD_VARIABLE}``; ``{VERIFY_VARIABLE}`` names the "
        "file of a certificate's authority, or is 0 to verify none."
    ),
    unset="none is asked",
    variable=URL_VARIABLE,
    shown=shown_without_secrets,
    metavar="URL",
)

SETTINGS: Final[tuple[Setting[Any], ...]] = (
    *(REGION, INTENSITY, PUE, PROJECT, RUN_NAME, LEDGER, INTERVAL_SECONDS),
    *(DEVICES, SOURCES, PER_STEP, STRICT, MACHINE, REDFISH, CPU_SCOPE, GPU_SCOPE, DETAIL),
    *(BUDGET, PRICE_PER_KWH, ON_BUDGET, BUDGET_SCOPE, MARKET_INTENSITY, WUE, DEVICE_METRICS),
    *(PROMETHEUS_PORT, OPENTELEMETRY, MODULE_EVERY, SWEEP, TRIAL, JOIN, ROLE),
)
"""Every setting of a meter, in the order in which they are shown."""

_OF_THE_GRID: Final = {REGION.name, INTENSITY.name}
_FOLDER: Final = replace(LEDGER, check=folders.check_folder)
_WRITABLE: Final = replace(LEDGER, check=folders.check_writable_ledger)


def configure(environ: Mapping[str, str] = os.environ, **settings: Unpack[Settings]) -> MeterConfig:
    """Check the settings that a user has given, once.

    Args:
        environ: The environment variables that stand in for arguments.
        settings: The arguments of :class:`~lightning_carbon.Meter`.

    Raises:
        ConfigError: A setting, or the variable that stands in for it, cannot be used, or no setting has that name.
    """
    refuse_unknown(settings, [setting.name for setting in SETTINGS])
    given: Mapping[str, Any] = settings
    checked: dict[str, Any] = {
        setting.name: setting.in_force(given.get(setting.name, setting.default), environ)
        for setting in SETTINGS
        if setting.name not in _OF_THE_GRID
    }
    budget = checked[BUDGET.name]
    if budget is not None and budget.currency and checked[PRICE_PER_KWH.name] is None:
        raise ConfigError(BUDGET.name, budget.text, f"give price_per_kwh, too, in {budget.currency}, such as 0.30.")
    intensity, series = grid_in_force(settings.get("region"), settings.get("intensity"), environ)
    checked[PUE.name] = pue_in_force(settings.get("pue"), intensity, environ)
    checked[WUE.name] = wue_in_force(settings.get("wue"), intensity, environ)
    return MeterConfig(intensity=intensity, series=series, **checked)


def ledger_folder(ledger: os.PathLike[str] | str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all runs, for reading: as given, else by the variable, else the user's data folder.

    Raises:
        ConfigError: It names no folder.
    """
    return _FOLDER.in_force(ledger, environ)


def writable_ledger(ledger: os.PathLike[str] | str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all runs, absolute, for commands that are useless unless they can write it.

    Raises:
        ConfigError: It names no folder, or this user may not write it.
    """
    return _WRITABLE.in_force(ledger, environ)

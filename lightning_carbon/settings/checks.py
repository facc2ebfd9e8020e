"""The one check of each setting, which returns the value to work with or says what would work.

Checks run before a training can fail, and touch no hardware: whether a device exists shows at the start.
Those of the settings that price energy stand in :mod:`~lightning_carbon.settings.grid_checks`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, Literal, TypeVar, get_args

from lightning_carbon.carbon.budgets import Budget, budget_of
from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.machines import KNOWN, MACHINES, machine_named
from lightning_carbon.ports import EnergyCounter, PowerGauge, Source

CpuScope = Literal["auto", "process", "machine"]
"""The processor time and memory that are charged; ``"auto"``: this job's, where it has only a part of the machine."""

GpuScope = Literal["device", "process"]
"""Whether a GPU that other processes use, too, is charged whole."""

Machine = RestModel | Literal["auto", "none"]
"""The class of machine, which is found, left out or as given."""

Detail = Literal["phase", "step", "module"]
"""How finely a run is divided: into phases, or also into the parts of its steps, or also into modules of the model."""

OnBudget = Literal["warn", "stop", "checkpoint_and_stop"]
"""The consequence of a budget that is used up."""
BudgetScope = Literal["run", "lineage"]
"""Whose usage counts against a budget."""

Devices = str | Sequence[int | str]
"""``"auto"``, ``"all"``, or indices and UUIDs."""

Choice = TypeVar("Choice", bound=str)

MIN_INTERVAL_SECONDS: Final = 0.01
MAX_INTERVAL_SECONDS: Final = 60.0
DEFAULT_INTERVAL_SECONDS: Final = 0.1
DEFAULT_MODULE_EVERY: Final = 500
DEFAULT_PROJECT: Final = "default"
MAX_NAME_BYTES: Final = 200
"""The most bytes of a name: names become folders, and Linux's file systems allow 255 (NAME_MAX, limits.h)."""

_TORCH_NAME: Final = r"cuda:(\d+)"
_UUID: Final = r"(?i:(?:GPU|MIG)-.+|[0-9a-f][0-9a-f-]{7,})"

_BUDGET_FIX: Final = 'give an amount with its unit, such as "2 kWh", "500 g" (of CO2e) or "10 EUR".'
_PRICE_FIX: Final = "give the price of a kWh in the budget's currency, above 0, such as 0.30."
_DEVICES_FIX: Final = 'give "auto", "all", or a list of indices and UUIDs, such as [0, 1] or ["GPU-5a0b..."].'
_NAME_FIX: Final = (
    f"give a short text, such as 'lisa', of at most {MAX_NAME_BYTES} bytes, without slashes and control characters, "
    "that does not begin with a dot."
)


def check_project(name: object) -> str:
    """Check ``project``.

    Raises:
        ConfigError: It is no text, or cannot name a folder.
    """
    return DEFAULT_PROJECT if name is None else check_name("project", name)


def check_run_name(name: object) -> str | None:
    """Check ``run_name``.

    Raises:
        ConfigError: It is no text, or no name.
    """
    return None if name is None else check_name("run_name", name)


def check_interval(seconds: object) -> float:
    """Check ``interval_seconds``.

    Raises:
        ConfigError: It is no number or out of range.
    """
    fix = (
        f"give seconds from {MIN_INTERVAL_SECONDS} (10 ms) to {MAX_INTERVAL_SECONDS:.0f}; "
        f"{DEFAULT_INTERVAL_SECONDS} is the default."
    )
    value = finite_number("interval_seconds", seconds, fix, given=seconds)
    if not MIN_INTERVAL_SECONDS <= value <= MAX_INTERVAL_SECONDS:
        raise ConfigError("interval_seconds", seconds, fix)
    return value


def check_devices(devices: object) -> Devices:
    """Check ``devices``; whether they exist shows at the start.

    Texts may be joined by commas, and devices may be called as torch calls them: ``"cuda:0"`` is 0.

    Raises:
        ConfigError: It is none of the forms.
    """
    if devices is None:
        return "auto"
    if isinstance(devices, str):
        return devices if devices in {"auto", "all"} else tuple(_device(part, devices) for part in devices.split(","))
    if not isinstance(devices, Sequence) or isinstance(devices, bytes):
        raise ConfigError("devices", devices, _DEVICES_FIX)
    return tuple(_device(device, devices) for device in devices)


def check_sources(sources: object) -> tuple[Source, ...] | None:
    """Check ``sources``.

    Raises:
        ConfigError: An entry is no source, or two have the same domain.
    """
    if sources is None:
        return None
    fix = "give a list of sources, each with a `sensor` and a `read_energy()` or `read_power()` method."
    if isinstance(sources, str | bytes) or not isinstance(sources, Sequence):
        raise ConfigError("sources", sources, fix)
    seen: set[str] = set()
    for index, source in enumerate(sources):
        if isinstance(source, type):
            raise ConfigError(f"sources[{index}]", source, f"it is a class; give an instance, {source.__name__}(...).")
        if not isinstance(source, EnergyCounter | PowerGauge):
            raise ConfigError(f"sources[{index}]", source, fix)
        domain = source.sensor.domain.id
        if domain in seen:
            raise ConfigError(f"sources[{index}]", source, f"the domain {domain!r} is there already; give each once.")
        seen.add(domain)
    return tuple(sources)


def check_flag(argument: str, value: object) -> bool:
    """Check a flag.

    Raises:
        ConfigError: It is neither true nor false.
    """
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    raise ConfigError(argument, value, "give True or False.")


def check_cpu_scope(scope: object) -> CpuScope:
    """Check ``cpu_scope``.

    Raises:
        ConfigError: There is no such scope.
    """
    return _choice("cpu_scope", scope, get_args(CpuScope))


def check_machine(machine: object) -> Machine:
    """Check ``machine``.

    Raises:
        ConfigError: There is no such class of machine.
    """
    if machine is None:
        return "auto"
    if machine in ("auto", "none"):
        return "none" if machine == "none" else "auto"
    try:
        return machine_named(str(machine))
    except KeyError:
        fix = f'give "auto", "none" or one of {", ".join((*MACHINES, *KNOWN))}.'
        raise ConfigError("machine", machine, fix) from None


def check_gpu_scope(scope: object) -> GpuScope:
    """Check ``gpu_scope``.

    Raises:
        ConfigError: There is no such scope.
    """
    return _choice("gpu_scope", scope, get_args(GpuScope))


def check_detail(detail: object) -> Detail:
    """Check ``detail``.

    Raises:
        ConfigError: There is no such level.
    """
    return _choice("detail", detail, get_args(Detail))


def check_module_every(every: object) -> int:
    """Check ``module_every``.

    Raises:
        ConfigError: It is no whole number from 1 on.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ConfigError(
            "module_every", every, f"give a whole number from 1 on; {DEFAULT_MODULE_EVERY} is the default."
        )
    return every


def check_budget(budget: object) -> Budget | None:
    """Check ``budget``; ``None`` where there is none.

    Raises:
        ConfigError: It names no amount of energy, CO2e or money.
    """
    if budget is None:
        return None
    found = budget_of(budget) if isinstance(budget, str) else None
    if found is None:
        raise ConfigError("budget", budget, _BUDGET_FIX)
    return found


def check_price(price: object) -> float | None:
    """Check ``price_per_kwh``; ``None`` where nobody said.

    Raises:
        ConfigError: It is no number, or not more than zero.
    """
    if price is None:
        return None
    value = finite_number("price_per_kwh", price, _PRICE_FIX, given=price)
    if value <= 0:
        raise ConfigError("price_per_kwh", price, _PRICE_FIX)
    return value


def check_on_budget(consequence: object) -> OnBudget:
    """Check ``on_budget``.

    Raises:
        ConfigError: There is no such consequence.
    """
    return _choice("on_budget", consequence, get_args(OnBudget))


def check_budget_scope(scope: object) -> BudgetScope:
    """Check ``budget_scope``.

    Raises:
        ConfigError: There is no such scope.
    """
    return _choice("budget_scope", scope, get_args(BudgetScope))


def number_of(text: str) -> object:
    """The number in a variable; where it holds none, its text, which the check then refuses."""
    try:
        return float(text)
    except ValueError:
        return text


def _choice(argument: str, value: object, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise ConfigError(argument, value, f"give one of {', '.join(map(repr, choices))}.")


def check_name(argument: str, value: object) -> str:
    """Check a name, which may become that of a folder.

    Raises:
        ConfigError: It is no text, or no name.
    """
    name = value.strip() if isinstance(value, str) else ""
    # What cannot be printed includes line ends, terminals' control sequences and halves of surrogate pairs.
    if not name or name[0] == "." or not name.isprintable() or any(char in name for char in "/\\"):
        raise ConfigError(argument, value, _NAME_FIX)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ConfigError(argument, value, _NAME_FIX)
    return name


def finite_number(argument: str, value: object, fix: str, *, given: object) -> float:
    """Take a number, or a text that is one.

    Args:
        argument: The name of the setting.
        value: The number, or its text.
        fix: A sentence that says what would work.
        given: What the user gave, for the error.

    Raises:
        ConfigError: It is no number, or not finite.
    """
    number = number_of(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ConfigError(argument, given, fix)
    return float(number)


def _device(device: object, devices: object) -> int | str:
    # A torch.device prints as "cuda:0".
    text = str(device).strip() if isinstance(device, str) or type(device).__module__ == "torch" else ""
    if isinstance(device, int) and not isinstance(device, bool) and device >= 0:
        return device
    if text.isdecimal():
        return int(text)
    if named := re.fullmatch(_TORCH_NAME, text):
        return int(named[1])
    if re.fullmatch(_UUID, text):
        return text
    raise ConfigError("devices", devices, _DEVICES_FIX)

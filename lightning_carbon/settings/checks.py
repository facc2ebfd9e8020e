"""The one check of each setting, which returns the value to work with or says what would work.

Checks run before a training can fail, and touch no hardware: whether a device exists shows at the start.

References:
    IPCC AR5 WG III (2014), Annex III, table A.III.2: life-cycle emissions of electricity supply, from 1.0 (the least,
    hydropower) to 2,200 gCO2eq/kWh (the greatest, hydropower again); coal 740 to 910.
    A. Lawrence, Uptime Institute Journal, 24 August 2020: of the power usage effectiveness that sites report, 1.0 to
    2.19 was kept, and the rest set aside as extreme or partial.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, Literal, TypeVar, get_args

from lightning_carbon.carbon.budgets import Budget, budget_of
from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.machines import KNOWN, MACHINES, machine_named
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.ports import EnergyCounter, PowerGauge, Source
from lightning_carbon.units import GRAMS_IN, GRAMS_PER_KILOGRAM, MILLIGRAMS_PER_GRAM

CpuScope = Literal["auto", "process", "machine"]
"""The processor time and memory that are charged; ``"auto"``: this job's, where it has only a part of the machine."""

GpuScope = Literal["device", "process"]
"""Whether a GPU that other processes use, too, is charged whole."""

Machine = RestModel | Literal["auto", "none"]
"""The class of machine: found, not modelled, or as given."""

Detail = Literal["phase", "step"]
"""How finely a run is divided: into phases, or also into the parts of its steps."""

OnBudget = Literal["warn", "stop", "checkpoint_and_stop"]
"""The consequence of a budget that is used up."""

Devices = str | Sequence[int | str]
"""``"auto"``, ``"all"``, or indices and UUIDs."""

Choice = TypeVar("Choice", bound=str)

MIN_INTERVAL_SECONDS: Final = 0.01
MAX_INTERVAL_SECONDS: Final = 60.0
DEFAULT_INTERVAL_SECONDS: Final = 0.1
DEFAULT_PROJECT: Final = "default"
MAX_NAME_BYTES: Final = 200
"""The most bytes of a name: names become folders, and Linux's file systems allow 255 (NAME_MAX, limits.h)."""

MIN_DOUBTLESS_GRAMS: Final = 1.0
"""The lowest intensity in the literature, in gCO2e/kWh; a smaller figure other than 0 is more likely in kg."""
MAX_GRAMS: Final = 5_000.0
"""Over twice the highest intensity in the literature, in gCO2e/kWh; a larger figure is in mg."""
MAX_PUE: Final = 10.0
"""Over four times the highest PUE of an ordinary site; a larger figure is in percent, or lacks its decimal point."""

_QUANTITY: Final = r"(?P<number>.*?)\s*(?P<unit>mg|kg|g)(?:CO2e?)?(?:/kWh)?"
_TORCH_NAME: Final = r"cuda:(\d+)"
_UUID: Final = r"(?i:(?:GPU|MIG)-.+|[0-9a-f][0-9a-f-]{7,})"

_INTENSITY_FIX: Final = "give gCO2e/kWh as a number, zero or more, such as 41.4."
_PUE_FIX: Final = "give site energy over IT energy, 1.0 or more, such as 1.2."
_BUDGET_FIX: Final = 'give an amount with its unit, such as "2 kWh", "500 g" (of CO2e) or "10 EUR".'
_PRICE_FIX: Final = "give the price of a kWh in the budget's currency, above 0, such as 0.30."
_DEVICES_FIX: Final = 'give "auto", "all", or a list of indices and UUIDs, such as [0, 1] or ["GPU-5a0b..."].'
_NAME_FIX: Final = (
    f"give a short text, such as 'lisa', of at most {MAX_NAME_BYTES} bytes, without slashes and control characters, "
    "that does not begin with a dot."
)


def check_region(region: object) -> Intensity | None:
    """Check ``region``; ``None`` where it is not given.

    Raises:
        ConfigError: It is no text.
        UnknownRegion: The table has no such region.
    """
    if region is None:
        return None
    if not isinstance(region, str):
        raise ConfigError("region", region, "give an ISO 3166 code (SE, USA) or WORLD, as text.")
    return intensity_of(region)


def check_intensity(given: object) -> Intensity | None:
    """Check ``intensity``; ``None`` where it is not given.

    A number is in gCO2e/kWh. 0 is accepted. A number between 0 and 1, more likely in kg, is queried, as is a number
    that no supply of electricity reaches. A text may name its unit and is then believed: ``"0.5 g"``, ``"0.4 kg"``.

    Raises:
        ConfigError: It is no number, negative, not finite, or most likely in another unit.
    """
    if given is None:
        return None
    found = re.fullmatch(_QUANTITY, given.strip()) if isinstance(given, str) else None
    number = _number("intensity", given if found is None else found["number"], _INTENSITY_FIX, given=given)
    grams = number if found is None else number * GRAMS_IN[found["unit"]]
    if grams < 0:
        raise ConfigError("intensity", given, _INTENSITY_FIX)
    if found is None and 0 < grams < MIN_DOUBTLESS_GRAMS:
        meant = f"was {grams * GRAMS_PER_KILOGRAM:g} meant ({grams:g} kg)? If it is {grams:g} g, give '{grams:g} g'."
        raise ConfigError("intensity", given, f"no supply of electricity emits so few gCO2e/kWh; {meant}")
    if grams > MAX_GRAMS:
        meant = f"was {grams / MILLIGRAMS_PER_GRAM:g} meant ({grams:g} mg)?"
        raise ConfigError("intensity", given, f"no supply of electricity emits so many gCO2e/kWh; {meant}")
    return Intensity(grams, grams, grams, "given", None, "as given", "custom", assumed=False)


def check_pue(ratio: object) -> PowerUsage:
    """Check ``pue``; the world's average where it is not given.

    Raises:
        ConfigError: It is no number, below 1, not finite, or most likely in percent.
    """
    if ratio is None:
        return pue_of(None)
    value = _number("pue", ratio, _PUE_FIX, given=ratio)
    if value < 1:
        raise ConfigError("pue", ratio, _PUE_FIX)
    if value > MAX_PUE:
        likely = [value / divisor for divisor in (100, 10) if 1 <= value / divisor <= MAX_PUE]
        meant = f"was {likely[0]:g} meant?" if likely else _PUE_FIX
        raise ConfigError("pue", ratio, f"no site draws so many times what its computers draw; {meant}")
    return pue_of(value)


def check_project(name: object) -> str:
    """Check ``project``.

    Raises:
        ConfigError: It is no text, or cannot name a folder.
    """
    return DEFAULT_PROJECT if name is None else _name("project", name)


def check_run_name(name: object) -> str | None:
    """Check ``run_name``.

    Raises:
        ConfigError: It is no text, or no name.
    """
    return None if name is None else _name("run_name", name)


def check_interval(seconds: object) -> float:
    """Check ``interval_seconds``.

    Raises:
        ConfigError: It is no number or out of range.
    """
    fix = (
        f"give seconds from {MIN_INTERVAL_SECONDS} (10 ms) to {MAX_INTERVAL_SECONDS:.0f}; "
        f"{DEFAULT_INTERVAL_SECONDS} is the default."
    )
    value = _number("interval_seconds", seconds, fix, given=seconds)
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
        ConfigError: It is neither of the two levels.
    """
    return _choice("detail", detail, get_args(Detail))


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
    value = _number("price_per_kwh", price, _PRICE_FIX, given=price)
    if value <= 0:
        raise ConfigError("price_per_kwh", price, _PRICE_FIX)
    return value


def check_on_budget(consequence: object) -> OnBudget:
    """Check ``on_budget``.

    Raises:
        ConfigError: There is no such consequence.
    """
    return _choice("on_budget", consequence, get_args(OnBudget))


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


def _name(argument: str, value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    # What cannot be printed includes line ends, terminals' control sequences and halves of surrogate pairs.
    if not name or name[0] == "." or not name.isprintable() or any(char in name for char in "/\\"):
        raise ConfigError(argument, value, _NAME_FIX)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ConfigError(argument, value, _NAME_FIX)
    return name


def _number(argument: str, value: object, fix: str, *, given: object) -> float:
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

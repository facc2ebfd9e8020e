"""Accelerators that models are trained on: the packaged table of rated power, peak arithmetic and cloud prices.

The table is that of :mod:`lightning_carbon.grid.ratings`; its header describes each column, and each row names its
source. A name is found as the vendor, NVML or people spell it, or not at all: the next model in the list may draw twice
as much.
"""

from __future__ import annotations

import re
from functools import cache

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.prices import CloudPrice
from lightning_carbon.grid.ratings import rows
from lightning_carbon.units import TERA
from lightning_carbon.values import dataclass, field

PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "fp8")
"""The formats that peaks are listed for, the widest first."""

_TRAINED_IN = ("bf16", "fp16", "tf32", "fp32")
"""The formats that training is assumed to use where none is given: the first that the accelerator has."""

_PRICE_SOURCES = {
    "S19": "a cloud's list prices, by way of Strubell et al. 2019",
    "SP24": "RunPod, by way of the SkyPilot catalog",
    "M26": "22 clouds on demand in May 2026, by way of Mercatus AI",
    "SP26": "Lambda, Nebius and RunPod, by way of the SkyPilot catalog",
    "SL26": "JarvisLabs and Lium, by way of the SkyPilot catalog",
}
_BRANDS = re.compile(
    r"\b(?:nvidia|amd|intel|google|aws|amazon|apple|cloud|habana|tesla|geforce|instinct|radeon|gpu|tensor core)\b"
)
_MARKS = re.compile(r"\((?:r|tm)\)")
_SIGNS = re.compile(r"[^a-z0-9]+")
_MOST_HINTS = 5
_CLOSE = 0.5


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One row of the table.

    Args:
        name: Its name, without the vendor.
        vendor: Its maker.
        memory_gigabytes: Its memory, in GB; ``None`` where no source gives it.
        power_watts: The rated power of its board or module, in watts; ``None`` where no source gives it.
        peak_flops: Dense peak arithmetic in FLOP/s, without sparsity, by format, for the formats that a source gives.
        price: Its price in a cloud; ``None`` where no source gives it.
        source: The title of the source.
        year: The year of that source.
        url: The address of the source.
        aliases: Its other names.
        system_watts: The rated power of a machine over its accelerators; ``None`` where no source gives it.
        dies: The number of devices that a program sees for each of it, such as two dies on a board.
    """

    name: str
    vendor: str
    memory_gigabytes: float | None
    power_watts: float | None
    peak_flops: dict[str, float]
    price: CloudPrice | None
    source: str
    year: int
    url: str
    aliases: tuple[str, ...] = field(default=())
    system_watts: float | None = None
    dies: int = 1

    @property
    def device_watts(self) -> float | None:
        """The rated power of what a program sees as one device, in watts."""
        return None if self.power_watts is None else self.power_watts / self.dies

    def __str__(self) -> str:
        """Vendor and name."""
        return f"{self.vendor} {self.name}"

    def peak(self, precision: str | None = None) -> tuple[str, float]:
        """The dense peak in a format.

        Args:
            precision: One of :data:`PRECISIONS`; ``None`` for the format usual in training.

        Returns:
            The format, and FLOP/s.

        Raises:
            ConfigError: There is no such format, or no source gives its peak here.
        """
        chosen = precision or next((name for name in _TRAINED_IN if name in self.peak_flops), "")
        if not self.peak_flops:
            raise ConfigError("gpu", self.name, f"no source gives a peak of {self}; give the hours instead.")
        if chosen not in self.peak_flops:
            known = ", ".join(self.peak_flops)
            raise ConfigError("precision", precision, f"the peaks of {self} are known for {known}; give one of these.")
        return chosen, self.peak_flops[chosen]


def accelerators() -> tuple[Accelerator, ...]:
    """List the whole table, in its order."""
    return _table()


def find_accelerator(name: str) -> Accelerator:
    """Look an accelerator up.

    Args:
        name: Its name, in either case, with or without its vendor: ``"H100"``, ``"NVIDIA A100-SXM4-80GB"``.

    Raises:
        ConfigError: The table has no such accelerator; the message lists near matches.
    """
    found = _by_key().get(_key(name))
    if found is None:
        near = near_accelerators(name)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise ConfigError(
            "gpu",
            name,
            f"{hint}It is not in the packaged table; leave it out and give its rated power in watts instead.",
        )
    return found


def near_accelerators(name: str) -> tuple[str, ...]:
    """The names that may be meant by a name that is not in the table, best guess first."""
    from difflib import get_close_matches

    typed, by_key = _key(name), _by_key()
    if not typed:
        return ()
    within = [gpu.name for key, gpu in by_key.items() if typed in key or (len(key) > 1 and key in typed)]
    close = [by_key[key].name for key in get_close_matches(typed, by_key, n=_MOST_HINTS, cutoff=_CLOSE)]
    return tuple(dict.fromkeys([*within, *close]))[:_MOST_HINTS]


def relatives(accelerator: Accelerator) -> tuple[Accelerator, ...]:
    """The accelerators that share the first word of a name: ``H100 PCIe`` and ``H100 NVL`` for ``H100 SXM``."""
    family = accelerator.name.split()[0]
    return tuple(gpu for gpu in _table() if gpu.name.split()[0] == family and gpu is not accelerator)


def is_family_name(name: str, accelerator: Accelerator) -> bool:
    """Whether a name could also mean a relative: ``"H100"`` for ``H100 SXM``."""
    return _key(name) == _key(accelerator.name.split()[0]) != _key(accelerator.name)


def _key(name: str) -> str:
    """A name without vendor, brand, marks, case, spaces and signs."""
    return _SIGNS.sub("", _BRANDS.sub(" ", _MARKS.sub(" ", name.casefold())))


@cache
def _by_key() -> dict[str, Accelerator]:
    return {_key(name): gpu for gpu in _table() for name in (gpu.name, *gpu.aliases)}


@cache
def _table() -> tuple[Accelerator, ...]:
    return tuple(map(_row, rows()))


def _row(cells: dict[str, str]) -> Accelerator:
    peaks = {name: cells[f"{name}_tflops"] for name in PRECISIONS}
    price = None
    if cells["usd_low"]:
        source = _PRICE_SOURCES[cells["price_source"]]
        price = CloudPrice(float(cells["usd_low"]), float(cells["usd_high"]), source, int(cells["price_year"]))
    return Accelerator(
        name=cells["name"],
        vendor=cells["vendor"],
        memory_gigabytes=float(cells["memory_gigabytes"]) if cells["memory_gigabytes"] else None,
        power_watts=float(cells["power_watts"]) if cells["power_watts"] else None,
        peak_flops={name: float(value) * TERA for name, value in peaks.items() if value},
        price=price,
        source=cells["source"],
        year=int(cells["year"]),
        url=cells["url"],
        aliases=tuple(filter(None, cells["aliases"].split(";"))),
        system_watts=float(cells["system_watts"]) if cells["system_watts"] else None,
        dies=int(cells["dies"] or 1),
    )

"""Intel's Gaudi accelerators, by the library ``pyhlml`` where their software has installed it.

The card counts its energy in millijoules since its driver was loaded, and shows its power in milliwatts. No study has
compared either with a meter: their range is our assumption, as wide as that of GPUs by AMD and Intel.

Reference: https://github.com/HabanaAI/pyhlml (2025)
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed
from lightning_carbon.ports import Finding
from lightning_carbon.sources.asked import LibraryCounter, answer_of
from lightning_carbon.sources.patience import PATIENCE_SECONDS, patient
from lightning_carbon.units import MILLIWATTS_PER_WATT, Power

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE: Final = "hlml"
COUNTER_RATIO: Final = 0.10
GAUGE_RATIO: Final = 0.15
_LIBRARY: Final = "pyhlml"
_FIX: Final = f"install {_LIBRARY}, which comes with Gaudi's software"


class GaudiGauge:
    """The power that a card shows; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        sensor: What it covers.
        show: Gives the power, in milliwatts.
    """

    def __init__(self, sensor: Sensor, show: Callable[[], int]) -> None:
        self._sensor = sensor
        self._show = show

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """Read the power.

        Raises:
            ReadFailed: The library has no power this time.
        """
        return Power(answer_of(_LIBRARY, self._show) / MILLIWATTS_PER_WATT)


def discover(
    index: int = 0, load: Callable[[str], Any] = import_module, patience_seconds: float = PATIENCE_SECONDS
) -> list[Finding]:
    """Find a card.

    Args:
        index: The number of the card.
        load: Imports a library by its name.
        patience_seconds: How long the library may take to answer.

    Returns:
        A finding for the card, or for the library with the reason; none where there is no card of that number.
    """
    try:
        library = load(_LIBRARY)
    except Exception as error:  # noqa: BLE001 - a library that is damaged may raise anything
        return [Finding(SOURCE, "Intel Gaudi", reason=f"the library {_LIBRARY} cannot be used: {error}", fix=_FIX)]
    try:
        return patient(lambda: _cards(library, index), patience_seconds)
    except Exception as error:  # noqa: BLE001 - the driver may refuse in any way
        return [Finding(SOURCE, "Intel Gaudi", reason=f"{_LIBRARY}: {error}")]


def _cards(library: Any, index: int) -> list[Finding]:  # noqa: ANN401 - pyhlml
    library.hlmlInit()
    return [_card(library, index)] if index < library.hlmlDeviceGetCount() else []


def _card(library: Any, number: int) -> Finding:  # noqa: ANN401 - pyhlml
    handle = library.hlmlDeviceGetHandleByIndex(number)
    name = _plain(library.hlmlDeviceGetName(handle)) or "Intel Gaudi"
    uuid = _plain(library.hlmlDeviceGetUUID(handle))
    domain = Domain(Kind.GPU, f"gpu:{uuid or f'gaudi:{number}'}", name)
    energy = partial(library.hlmlDeviceGetTotalEnergyConsumption, handle)
    power = partial(library.hlmlDeviceGetPowerUsage, handle)
    counter = LibraryCounter(
        Sensor(domain, Provenance.COUNTER, COUNTER_RATIO, "hlmlDeviceGetTotalEnergyConsumption"), _LIBRARY, energy
    )
    gauge = GaudiGauge(Sensor(domain, Provenance.INTEGRATED, GAUGE_RATIO, "hlmlDeviceGetPowerUsage, integrated"), power)
    subject, sources, reasons = f"{name} {number}", [], []
    for source, read in ((counter, energy), (gauge, power)):
        try:
            if answer_of(_LIBRARY, read) > 0:
                sources.append(source)
            else:
                reasons.append(f"{source.sensor.method} stands at zero")
        except ReadFailed as error:
            reasons.append(str(error))
    if not sources:
        return Finding(SOURCE, subject, reason="; ".join(reasons))
    fallback = sources[1] if len(sources) > 1 else None
    return Finding(SOURCE, subject, sources[0], "; ".join(reasons), fallback=fallback)


def _plain(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text or "")

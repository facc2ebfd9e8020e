"""Apple's processors, by what macOS counts of the energy of their parts, read by the library ``zeus-apple-silicon``.

The library needs no root and comes with the extra ``apple``. Its counts are macOS's own ("Energy Model" of IOReport),
in millijoules. The domain of the GPU has its memory cells and the neural engine inside, as torch computes on the one,
and Core ML on the other. No study has compared the counts with a meter; their range is our assumption.

Reference: https://github.com/ml-energy/zeus-apple-silicon (2025), ``AppleEnergyMonitor.get_cumulative_energy``
"""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.ports import Finding
from lightning_carbon.sources.asked import LibraryCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOURCE: Final = "apple"
RATIO: Final = 0.2
_LIBRARY: Final = "zeus_apple_silicon"
_FIX: Final = "pip install 'lightning-carbon[apple]'"
_FRESH_SECONDS: Final = 0.02
"""How old a look at all counts may be for the next of them; ours."""
_PARTS: Final[Mapping[Kind, tuple[str, tuple[str, ...]]]] = {
    Kind.GPU: ("Apple GPU", ("gpu_mj", "gpu_sram_mj", "ane_mj")),
    Kind.PACKAGE: ("Apple CPU", ("cpu_total_mj",)),
    Kind.DRAM: ("Apple memory", ("dram_mj",)),
}


class _Look:
    """All counts of the processor, asked for once for several domains."""

    def __init__(self, monitor: Any, now_seconds: Callable[[], float]) -> None:  # noqa: ANN401 - of the library
        self._monitor = monitor
        self._now_seconds = now_seconds
        self._lock = threading.Lock()
        self._at_seconds = float("-inf")
        self._counts: Any = None

    def take(self) -> Any:  # noqa: ANN401 - AppleEnergyMetrics
        """The counts, as of at most a moment ago."""
        with self._lock:
            now = self._now_seconds()
            if now - self._at_seconds >= _FRESH_SECONDS:
                self._counts, self._at_seconds = self._monitor.get_cumulative_energy(), now
            return self._counts


def _sum_of(take: Callable[[], Any], names: tuple[str, ...]) -> float:
    """The sum of those counts that this processor has.

    Raises:
        LookupError: It has none of them this time.
    """
    counts = take()
    known = [count for name in names if (count := getattr(counts, name, None)) is not None]
    if not known:
        raise LookupError(f"there is no {names[0]}")
    return float(sum(known))


def discover(
    platform: str = sys.platform,
    load: Callable[[str], Any] = import_module,
    now_seconds: Callable[[], float] = time.monotonic,
) -> list[Finding]:
    """Find the counts of this processor.

    Args:
        platform: The system, as :data:`sys.platform` names it.
        load: Imports a library by its name.
        now_seconds: A monotonic clock.

    Returns:
        A finding for the GPU, the cores and the memory, or one with the reason and the fix; none but on macOS.
    """
    if platform != "darwin":
        return []
    try:
        look = _Look(load(_LIBRARY).AppleEnergyMonitor(), now_seconds)
        counts = look.take()
    except ImportError:
        return [Finding(SOURCE, "Apple processor", reason=f"the library {_LIBRARY} is not there", fix=_FIX)]
    except Exception as error:  # noqa: BLE001 - a library in another language may raise anything
        return [Finding(SOURCE, "Apple processor", reason=f"{_LIBRARY}: {error}")]
    findings = []
    for kind, (name, names) in _PARTS.items():
        domain = Domain(kind, f"{kind}:apple", name)
        if all(getattr(counts, count, None) is None for count in names):
            findings.append(Finding(SOURCE, name, reason="this processor does not count it"))
            continue
        sensor = Sensor(domain, Provenance.COUNTER, RATIO, f"IOReport by {_LIBRARY}, {' + '.join(names)}")
        findings.append(Finding(SOURCE, name, LibraryCounter(sensor, _LIBRARY, partial(_sum_of, look.take, names))))
    return findings

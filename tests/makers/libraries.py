"""``zeus_apple_silicon`` and ``pyhlml``, each as far as the package calls it, over a world that a test changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace


class Apple:
    """``zeus_apple_silicon`` (1.0): counts in millijoules, and ``None`` for what the processor does not count."""

    def __init__(self, **counts: int | None) -> None:
        self.counts: dict[str, int | None] = {"cpu_total_mj": 1000, "dram_mj": 500, "gpu_mj": 2000, **counts}
        self.looks = 0
        self.error: Exception | None = None

    def load(self, name: str) -> object:
        """Import it, and nothing else."""
        if name != "zeus_apple_silicon":
            raise ModuleNotFoundError(name)
        return SimpleNamespace(AppleEnergyMonitor=lambda: self)

    def get_cumulative_energy(self) -> object:
        """The counts since the monitor began."""
        self.looks += 1
        if self.error is not None:
            raise self.error
        return SimpleNamespace(**{"gpu_sram_mj": None, "ane_mj": None, **self.counts})


@dataclass(eq=False)
class Card:
    """A Gaudi.

    Args:
        millijoules: The count of its energy.
        milliwatts: Its power.
        error: What its calls raise, if anything.
    """

    millijoules: int = 7_000
    milliwatts: int = 250_000
    error: Exception | None = None


@dataclass
class Gaudi:
    """``pyhlml`` (1.20): handles by index, names and ids as bytes, energy in mJ, power in mW."""

    cards: list[Card] = field(default_factory=lambda: [Card(), Card()])

    def load(self, name: str) -> object:
        """Import it, and nothing else."""
        if name != "pyhlml":
            raise ModuleNotFoundError(name)
        return self

    def hlmlInit(self) -> None:  # noqa: N802 - as pyhlml names it
        """Nothing to do."""

    def hlmlDeviceGetCount(self) -> int:  # noqa: N802 - as pyhlml names it
        """How many."""
        return len(self.cards)

    def hlmlDeviceGetHandleByIndex(self, index: int) -> Card:  # noqa: N802 - as pyhlml names it
        """The card itself."""
        return self.cards[index]

    def hlmlDeviceGetName(self, device: Card) -> bytes:  # noqa: N802 - as pyhlml names it
        """Its product."""
        return b"HL-225"

    def hlmlDeviceGetUUID(self, device: Card) -> bytes:  # noqa: N802 - as pyhlml names it
        """Its id."""
        return f"01P0-HL2080A0-15-{self.cards.index(device)}".encode()

    def hlmlDeviceGetTotalEnergyConsumption(self, device: Card) -> int:  # noqa: N802 - as pyhlml names it
        """The energy since the driver was loaded."""
        if device.error is not None:
            raise device.error
        return device.millijoules

    def hlmlDeviceGetPowerUsage(self, device: Card) -> int:  # noqa: N802 - as pyhlml names it
        """The present power."""
        if device.error is not None:
            raise device.error
        return device.milliwatts

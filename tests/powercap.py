"""A powercap tree under any folder, fed by hand; laid out as Linux does, links and all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The range of a counter of 32 bits in units of 2^-14 J, as most processors have.
USUAL_RANGE_MICROJOULES = 262_143_328_850


@dataclass(frozen=True)
class Zone:
    """One folder of the tree.

    Args:
        path: Where it is.
    """

    path: Path

    def set_joules(self, joules: float) -> None:
        """Write the count, in place, as far as its range goes."""
        count = round(joules * 1e6) % self.range_microjoules
        (self.path / "energy_uj").write_text(f"{count}\n")

    @property
    def range_microjoules(self) -> int:
        """Where the count starts again from zero."""
        return int((self.path / "max_energy_range_uj").read_text())


class PowercapTree:
    """``class/powercap`` with links into ``devices/virtual/powercap``, under a folder.

    Args:
        folder: Where ``class`` and ``devices`` are to be.
    """

    def __init__(self, folder: Path) -> None:
        self.devices = folder / "devices" / "virtual" / "powercap"
        self.root = folder / "class" / "powercap"
        self.devices.mkdir(parents=True)
        self.root.mkdir(parents=True)

    def add(
        self, name: str, label: str, joules: float = 1000.0, range_microjoules: int = USUAL_RANGE_MICROJOULES
    ) -> Zone:
        """Add a zone.

        Args:
            name: The name of its folder, such as ``intel-rapl:0:1``; its parents must be there.
            label: What it says it is, such as ``dram``.
            joules: Where its count stands.
            range_microjoules: Where its count starts again.
        """
        control, *numbers = name.split(":")
        folder = self.devices / control
        if not folder.exists():
            folder.mkdir()
            (folder / "subsystem").symlink_to(self.root)
            self._link(folder)
        for depth in range(len(numbers)):
            folder /= ":".join([control, *numbers[: depth + 1]])
        folder.mkdir()
        self._link(folder)
        (folder / "device").symlink_to(folder.parent)
        (folder / "subsystem").symlink_to(self.root)
        (folder / "power").mkdir()
        (folder / "name").write_text(f"{label}\n")
        (folder / "max_energy_range_uj").write_text(f"{range_microjoules}\n")
        zone = Zone(folder)
        zone.set_joules(joules)
        return zone

    def _link(self, folder: Path) -> None:
        up = len(self.root.relative_to(self.root.parent.parent).parts)
        target = Path(*[".."] * up) / folder.relative_to(self.devices.parents[2])
        (self.root / folder.name).symlink_to(target)

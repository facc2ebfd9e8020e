"""The chips of ``/sys/class/hwmon``, each with its name, its device and its channels of power or energy.

A channel's files stand in the folder of its chip, or, with older drivers such as that of the ACPI power meter, in the
folder of the device behind it. Power is in microwatts and energy in microjoules, whatever the chip
(https://docs.kernel.org/hwmon/sysfs-interface.html).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.sources.kernel_files import read_small, reason_of
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from lightning_carbon.sources.kernel_files import Opener

CLASS: Final = Path("sys/class/hwmon")
PCI_ADDRESS: Final = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
"""A PCI address: domain, bus, device and function, as the kernel writes them."""

_FOLDER: Final = r"hwmon(\d+)"


@dataclass(frozen=True, slots=True)
class Chip:
    """A folder of the tree.

    Args:
        path: The folder.
        name: Its driver's name for it, such as ``amdgpu``.
        device: The folder of the device behind it; the chip's own where there is none.
        opener: What opens files.
    """

    path: Path
    name: str
    device: Path
    opener: Opener

    @property
    def address(self) -> str | None:
        """The PCI address of the device, where it is on PCI."""
        return self.device.name if re.fullmatch(PCI_ADDRESS, self.device.name) else None

    def file(self, name: str) -> Path | None:
        """The path of a file of the chip, if the file exists."""
        for folder in (self.path, self.device):
            path = folder / name
            try:
                if path.is_file():
                    return path
            except OSError:
                continue
        return None

    def text(self, name: str) -> str:
        """The text of a file with a single line; empty where it is missing or cannot be read."""
        path = self.file(name)
        try:
            return "" if path is None else read_small(path, self.opener)
        except (OSError, ValueError):
            return ""

    def channels(self, prefix: str, suffix: str) -> list[int]:
        """The numbers of the channels that have a file, such as 1 for ``power1_input``."""
        pattern = re.compile(rf"{prefix}(\d{{1,3}}){suffix}")
        found = set[int]()
        for folder in (self.path, self.device):
            try:
                names = [path.name for path in folder.iterdir()]
            except OSError:
                continue
            found |= {int(match[1]) for name in names if (match := pattern.fullmatch(name))}
        return sorted(found)


@dataclass(slots=True)
class Chips:
    """The chips under a root.

    Args:
        found: Every chip with a name, in the order of their numbers.
        troubles: The chips that cannot be used, by name, and why.
    """

    found: list[Chip] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)

    def named(self, *names: str) -> list[Chip]:
        """The chips of given drivers."""
        return [chip for chip in self.found if chip.name in names]


def explore(root: Path = Path("/"), opener: Opener = os.open) -> Chips:
    """Find every chip with a name.

    Args:
        root: Where ``sys`` is.
        opener: What opens files.
    """
    chips = Chips()
    folder = root / CLASS
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            chips.troubles["hwmon"] = f"{folder} cannot be listed: {reason_of(error)}"
        return chips
    for _, name in sorted((int(match[1]), match[0]) for name in names if (match := re.fullmatch(_FOLDER, name))):
        path = folder / name
        try:
            label, device = read_small(path / "name", opener), (path / "device").resolve()
        except FileNotFoundError:
            continue  # a chip without a name has no sensor of use here
        except (OSError, ValueError, RuntimeError) as error:
            chips.troubles[name] = f"its name cannot be read: {reason_of(error)}"
            continue
        chips.found.append(Chip(path, label, device if device.is_dir() else path, opener))
    return chips

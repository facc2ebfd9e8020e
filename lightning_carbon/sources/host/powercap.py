"""The powercap tree of Linux: its zones, found without ever waiting for a file.

The tree is the kernel's on a real machine, and whatever was mounted there in a container. A folder that cannot be
listed, a link that leads in a circle and a name that cannot be read each cost their zone, with the reason.

References: https://docs.kernel.org/power/powercap/powercap.html
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from lightning_carbon.sources.kernel_files import read_small, reason_of
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.sources.kernel_files import Opener

_ZONE: Final = r"(intel-rapl(?:-[a-z]+)?)((?::\d+)+)"
_CONTROL_TYPE: Final = r"intel-rapl(?:-[a-z]+)?"


@dataclass(frozen=True, slots=True)
class Zone:
    """A folder of the tree that names its zone.

    Args:
        path: The folder.
        control: The control type that it belongs to, such as ``intel-rapl``.
        numbers: Its place in the control type, such as ``(0, 1)`` for ``intel-rapl:0:1``.
        label: The name that it states, such as ``package-0``.
    """

    path: Path
    control: str
    numbers: tuple[int, ...]
    label: str


@dataclass(slots=True)
class Tree:
    """The zones under a root.

    Args:
        zones: Every usable zone, once.
        hidden: The names of zones whose folders are missing.
        troubles: The entries that cannot be used, by name, and why.
    """

    zones: list[Zone] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)


def explore(root: Path, opener: Opener = os.open) -> Tree:
    """Find every zone once, by the name of its folder: the tree shows it both flat, as a link, and nested.

    Args:
        root: The powercap tree, or any folder of it.
        opener: Opens files, as :func:`os.open` does.
    """
    tree = Tree()
    seen: set[str] = set()
    broken: dict[str, str] = {}
    to_list = [root]
    while to_list:
        folder = to_list.pop()
        try:
            paths = sorted(folder.iterdir())
        except (OSError, ValueError) as error:
            if folder != root or not isinstance(error, FileNotFoundError):
                tree.troubles[folder.name] = f"the folder cannot be listed: {reason_of(error)}"
            continue
        for path in paths:
            name = path.name
            match = re.fullmatch(_ZONE, name)
            if name in seen or not (match or re.fullmatch(_CONTROL_TYPE, name)):
                continue
            try:
                is_folder = stat.S_ISDIR(path.stat().st_mode)
            except FileNotFoundError:
                is_folder = False
            except OSError as error:
                broken[name] = reason_of(error)
                continue
            if not is_folder:
                tree.hidden.append(name)
                continue
            seen.add(name)
            to_list.append(path)
            if match:
                _take(tree, path, match, opener=opener)
    # The same zone may be reached by another path.
    tree.troubles |= {name: reason for name, reason in broken.items() if name not in seen}
    return tree


def _take(tree: Tree, path: Path, match: re.Match[str], *, opener: Opener) -> None:
    try:
        label = read_small(path / "name", opener)
    except (OSError, ValueError) as error:
        tree.troubles[path.name] = f"its name cannot be read: {reason_of(error)}"
        return
    tree.zones.append(Zone(path, match[1], tuple(int(number) for number in match[2].split(":")[1:]), label))


def top_of(zone: Zone) -> Path:
    """The folder of the tree that a zone is in, with all links resolved."""
    folder = zone.path.resolve()
    while re.fullmatch(_ZONE, folder.name) or re.fullmatch(_CONTROL_TYPE, folder.name):
        folder = folder.parent
    return folder

"""Recorded machines: the files of ``/sys`` that tell of their sensors, a text file each, written below any folder.

A line is ``path = text``, in which a backslash and an n stand for the end of a line, or ``path -> target`` for a link.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

WORLDS: Final = Path(__file__).parent / "data" / "worlds"


def write_world(name: str, root: Path) -> Path:
    """Write the files of a machine.

    Args:
        name: Its file in ``tests/data/worlds``, without the ending.
        root: Where ``sys`` is to be.

    Returns:
        That folder.
    """
    for line in (WORLDS / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        link, _, target = line.partition(" -> ")
        path, _, text = line.partition(" = ")
        where = root / (link if target else path)
        where.parent.mkdir(parents=True, exist_ok=True)
        if target:
            where.symlink_to(target)
        else:
            where.write_text(text.replace("\\n", "\n") + "\n", "utf-8")
    return root

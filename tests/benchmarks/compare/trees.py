"""A commit beside the tree at hand, each as what a program imports."""

from __future__ import annotations

import subprocess
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parents[3]
"""The tree at hand."""

_PACKAGE = "lightning_carbon"
_METADATA = f"{_PACKAGE}-0.dist-info"


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """A work tree of a commit, for as long as the block lasts.

    Args:
        commit: As git understands it.
        folder: Where it goes; made here.

    Raises:
        subprocess.CalledProcessError: There is no such commit, or this is no clone.
    """
    _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def importable(tree: Path, folder: Path) -> list[Path]:
    """What has to stand in ``PYTHONPATH`` for a program to get the package of a tree.

    Entry points come with it, as trainers ask for them: those of the installed package may name modules that this tree
    does not have.

    Args:
        tree: The tree.
        folder: For the entry points; made here.
    """
    settings = ConfigParser()
    settings.read(tree / "setup.cfg", encoding="utf-8")
    metadata = folder / _METADATA
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lightning-carbon\nVersion: 0\n", encoding="utf-8")
    groups = settings["options.entry_points"].items() if settings.has_section("options.entry_points") else ()
    entries = "".join(f"[{group}]\n{names.strip()}\n" for group, names in groups)
    (metadata / "entry_points.txt").write_text(entries, encoding="utf-8")
    return [folder, tree]


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=HERE, check=True, capture_output=True, text=True)

"""What holds for the source of the whole package, found by reading it."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

import lightning_carbon

PACKAGE: Final = Path(lightning_carbon.__file__).parent
MODULES: Final = {path: ast.parse(path.read_bytes()) for path in sorted(PACKAGE.rglob("*.py"))}


def test_every_class_name_has_one_home() -> None:
    """A name means one thing in the whole package."""
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(str(path.relative_to(PACKAGE)))

    assert {} == {name: places for name, places in homes.items() if len(places) > 1}

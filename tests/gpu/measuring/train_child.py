"""Trains a configuration as its example does, without the command line's library: what `study measure` is given to run.

``train_child.py CONFIG [CHANGES]``, changes being JSON by the names of the command line.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[3]


def main() -> None:
    """Train."""
    sys.path[:0] = [str(ROOT), str(ROOT / "examples")]
    building = import_module("building")
    building.training_of(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}).fit()


if __name__ == "__main__":
    main()

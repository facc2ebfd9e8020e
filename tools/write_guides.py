"""Write into the guides what their code prints on this machine, and their notebooks from them.

    python tools/write_guides.py [PAGE …]

Whatever stands on a page for the output of a block is replaced; give pages as ``docs/tutorials/lightning.md``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.documents import GUIDES  # noqa: E402 - found by the line above
from tests.guides import NOTEBOOKS, notebook_of, run_guides, typed_in  # noqa: E402 - likewise


def main() -> None:
    """Write them."""
    for document, printed in run_guides(tuple(sys.argv[1:]) or GUIDES).items():
        path = ROOT / document
        lines = path.read_text(encoding="utf-8").splitlines()
        for typed, text in reversed([*zip(typed_in(document), printed, strict=True)]):
            first, last = typed.output
            if first < last and typed.is_run:
                lines[first:last] = [line.rstrip() for line in text.strip("\n").splitlines()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if document in NOTEBOOKS:
            NOTEBOOKS[document].write_text(json.dumps(notebook_of(document), indent=1) + "\n", encoding="utf-8")
        print(f"wrote {document}")


if __name__ == "__main__":
    main()

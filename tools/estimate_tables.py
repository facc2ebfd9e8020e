"""Write the table of METHODOLOGY.md that holds estimates against measured trainings, each with that training left out.

python tools/estimate_tables.py             # after a change of the trainings, the accelerators or the rules
python tools/estimate_tables.py --check     # writes nothing; fails where something would change
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.estimate.calibration import HeldOut, held_out  # noqa: E402 - the root has to be on the path first

BEGIN, END = "<!-- trainings: written by tools/estimate_tables.py -->\n", "<!-- end of trainings -->\n"
HEAD = ("training", "figure", "published", "estimated", "low", "high", "inside", "source")
PAGE = ROOT / "METHODOLOGY.md"


def part() -> str:
    """The table, and the count of what lies inside."""
    results = list(held_out())
    rows = ["| " + " | ".join(HEAD) + " |", "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |"]
    count = (
        f"Inside are {_inside(results)}. With all trainings of the same author left out at once, inside are "
        f"{_inside(list(held_out(whole_sources=True)))}."
    )
    return "\n".join([*rows, *map(_row, results), "", count, ""])


def _row(result: HeldOut) -> str:
    span = result.span
    figures = (f"{figure:.2f}" for figure in (result.found, span.value, span.low, span.high))
    cells = (result.name, result.what, *figures, "yes" if result.is_inside else "**no**", result.source)
    return "| " + " | ".join(cells) + " |"


def _inside(results: list[HeldOut]) -> str:
    powers = [result.is_inside for result in results if result.what != "MFU"]
    hours = [result.is_inside for result in results if result.what == "MFU"]
    return f"{sum(powers)} of {len(powers)} measured powers and {sum(hours)} of {len(hours)} published hours"


def main() -> None:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    old = PAGE.read_text(encoding="utf-8")
    new = re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{part()}\n{END}", old, flags=re.DOTALL)
    if parser.parse_args().check:
        sys.exit(int(old != new))
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()

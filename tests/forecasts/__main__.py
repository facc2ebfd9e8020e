"""Hold the forecast against simulated trainings whose end is known.

python -m tests.forecasts            # print how often the 90 % interval held the end, and how far off the forecast was
python -m tests.forecasts --write    # also into METHODOLOGY.md
"""

from __future__ import annotations

import argparse
import sys

from tests.forecasts.calibration import SEED, TRAININGS, calibration, population
from tests.forecasts.tables import BEGIN, END, PAGE, table
from tests.marked import with_part


def main() -> int:
    """Draw the trainings, and ask at every moment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--trainings", type=int, default=TRAININGS, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    options = parser.parse_args()
    trainings = population(options.trainings, options.seed)
    text = table(calibration(trainings), calibration(trainings, "seconds"), len(trainings))
    print(text)
    if options.write:
        PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), BEGIN, END, text=text), encoding="utf-8")
        print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

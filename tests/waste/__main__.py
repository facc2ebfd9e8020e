"""Hold the names of waste against trainings with a known fault.

python -m tests.waste            # print how often the right fault was named within 50 steps
python -m tests.waste --write    # also into METHODOLOGY.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.marked import with_part
from tests.nvml_standin import Standin, build
from tests.waste.tables import BEGIN, END, PAGE, SEED, found_by, table


def main() -> int:
    """Train, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="lightning-carbon-waste-") as folder:
        standin = Standin(build(Path(folder) / "lib"), Path(folder) / "scenarios")
        text = table(found_by(options.seed, standin))
    print(text)
    if options.write:
        PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), BEGIN, END, text=text), encoding="utf-8")
        print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

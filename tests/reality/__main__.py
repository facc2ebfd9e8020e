"""Hold the meter against recorded GPUs with an external power meter: ``make reality``.

python -m tests.reality            # print how far off it is, by card, sensor and length of window
python -m tests.reality --write    # also into the committed figures, sensor_blur.csv and METHODOLOGY.md
python -m tests.reality --walls    # machines at their plugs alone, see tests/reality/walls.py
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.reality import idle, walls
from tests.reality.errors import errors_of
from tests.reality.figures import BLUR, PAGE, RESULTS, blur, ranges, tables, with_tables
from tests.reality.traces import VARIABLE, folder, traces


def main() -> int:
    """Replay every trace.

    Returns:
        0, or 2 where there are no traces.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} and {PAGE.name}")
    parser.add_argument(
        "--walls", action="store_true", help="hold machines against their wall meters, and nothing else"
    )
    options = parser.parse_args()
    write: bool = options.write
    walls_against(write=write)
    print(f"{idle.table_of(idle.committed())}\n")
    if write:
        PAGE.write_text(idle.with_table(PAGE.read_text(encoding="utf-8"), idle.committed()), encoding="utf-8")
    if options.walls:
        return 0
    root = folder()
    if root is None:
        print(f"no traces: set {VARIABLE} to a folder with gpu-traces/, see tests/reality/traces.py", file=sys.stderr)
        return 2
    results = [errors_of(trace, column).mapping() for trace in traces(root) for column in trace.distinct_columns]
    print(tables(results))
    print(f"\n{ranges()}")
    if write:
        BLUR.write_text(blur(results), encoding="utf-8")
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
        print(f"wrote {RESULTS.name}, {BLUR.name} and {PAGE.name}; once more, where {BLUR.name} has changed")
    return 0


def walls_against(*, write: bool) -> None:
    """Print which walls are inside, worked out anew where the runs are at hand, else as it is committed.

    Args:
        write: Whether to commit what is worked out.
    """
    root = walls.folder()
    if root is None:
        print(f"as committed, since {walls.VARIABLE} names no checkout of ai-energy-validation:\n", file=sys.stderr)
        print(f"{walls.table_of(json.loads(walls.RESULTS.read_text(encoding='utf-8')))}\n")
        return
    runs = list(walls.walls(root))
    results = walls.results_of(runs)
    print(f"{walls.table_of(results)}\n")
    print(f"the share of a kind of load is off by {walls.load_share(runs):.3f} where a line by the others has it\n")
    if write:
        walls.RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        PAGE.write_text(walls.with_table(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

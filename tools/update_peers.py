"""Write the comparison with other tools into docs/accuracy.md, from the committed results of `make bench`.

    make bench                                    # writes build/peers.json
    python tools/update_peers.py build/peers.json # takes it as the committed results, and writes docs/accuracy.md
    python tools/update_peers.py                  # writes docs/accuracy.md again from the committed results
    python tools/update_peers.py --check          # writes nothing; fails where something would change

Only a whole run is taken, in which nothing was left out and nothing was done quickly.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "tests" / "benchmarks" / "results" / "peers.json"
BEGIN, END = "<!-- peers: written by tools/update_peers.py -->\n", "<!-- end of peers -->\n"

sys.path.insert(0, str(ROOT))  # a script's own folder is there, the repository's is not

from tests.benchmarks.peers.rows import (  # noqa: E402 - found by the line above
    BENCHES,
    DISTRIBUTIONS,
    TITLES,
    TOOLS,
    Row,
    figure,
    read_rows,
)


def section(results: Mapping[str, Any]) -> str:
    """The part of docs/accuracy.md that the results make.

    Args:
        results: What ``build/peers.json`` holds.
    """
    rows = read_rows(results)
    versions, machine = results["versions"], results["machine"]
    tools = [tool for tool in TOOLS if DISTRIBUTIONS[tool] in versions]  # results may be older than a tool's adapter
    compared = ", ".join(f"{TITLES[tool]} {versions[DISTRIBUTIONS[tool]]}" for tool in tools)
    where = f"{machine['processors']} processors, Python {machine['python']}, torch {machine['torch']}"
    lines = [
        f"`make bench` on {results['date']}, in {round(results['seconds'] / 60)} minutes:",
        f"{compared}; {where}.",
        "In **bold** whoever is ahead, or cannot be told from who is.",
        "",
        "| | " + " | ".join(TITLES[tool] for tool in tools) + " |",
        "|---|" + "---:|" * len(tools),
        *(f"| {_what(row)} | " + " | ".join(_said(row, tool) for tool in tools) + " |" for row in rows),
    ]
    behind = [row for row in rows if row.ahead]
    if behind:
        lines += ["", "Others are ahead of us in:", ""]
        lines += [f"* {_what(row)}: {', '.join(TITLES[tool] for tool in row.ahead)}" for row in behind]
    return "\n".join(lines)


def accuracy(text: str, results: Mapping[str, Any]) -> str:
    """docs/accuracy.md with the comparison of these results.

    Args:
        text: docs/accuracy.md as it is.
        results: What ``build/peers.json`` holds.

    Raises:
        SystemExit: It has lost the marks that the comparison goes between.
    """
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"docs/accuracy.md needs these two lines, once:\n{BEGIN}{END}")
    return pattern.sub(lambda _: f"\n{section(results)}\n\n", text)


def whole(results: Mapping[str, Any]) -> bool:
    """Whether they are of a run in which nothing was left out and nothing was done quickly."""
    return not results["quick"] and results["benches"] == list(BENCHES)


def main() -> int:
    """Write, or check.

    Returns:
        1 where ``--check`` found something out of date, otherwise 0.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS, help="default: the committed ones")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    options = parser.parse_args()

    found = json.loads(options.results.read_text(encoding="utf-8"))
    if not whole(found):
        raise SystemExit(f"{options.results} is not of a whole run: say `make bench`, without --only and --quick")
    page = ROOT / "docs" / "accuracy.md"
    fresh = {
        page: accuracy(page.read_text(encoding="utf-8"), found),
        RESULTS: json.dumps(found, indent=2, ensure_ascii=False) + "\n",
    }
    stale = [path for path, text in fresh.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'out of date' if options.check else 'written'}")
        if not options.check:
            path.write_text(fresh[path], encoding="utf-8")
    return 1 if options.check and stale else 0


def _what(row: Row) -> str:
    return f"{row.what}, {row.unit}" if row.unit else row.what


def _said(row: Row, tool: str) -> str:
    cell = row.cells[tool]
    if cell.value is None:
        return f"– ({cell.why})"
    value = f"**{figure(cell.value)}**" if tool in row.best else figure(cell.value)
    return f"{value} ({cell.remark})" if cell.remark else value


if __name__ == "__main__":
    sys.exit(main())

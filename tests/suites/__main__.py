"""Run the tests of Lightning, transformers and Accelerate with the meter on and off, and tell what differs, and why.

LIGHTNING_SUITE=../pytorch-lightning python -m tests.suites             # print
LIGHTNING_SUITE=../pytorch-lightning python -m tests.suites --write     # also into docs/suites.md

A suite runs where its variable (LIGHTNING_SUITE, TRANSFORMERS_SUITE, ACCELERATE_SUITE) names the folder of its
repository. Results stay in build/suites; what is there is not run again, so a run that was cut goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.suites.comparison import UNKNOWN, Comparison, compare, known_reasons
from tests.suites.outcomes import outcomes_in
from tests.suites.page import PAGE, RESULTS, page_of, result_of
from tests.suites.running import SUITES, run

_COMMIT: Final = ("git", "describe", "--always", "--dirty")


def main() -> int:
    """Run the suites that are there, compare, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} and {RESULTS.name}")
    parser.add_argument("--results", type=Path, default=Path("build/suites"), help="where results go")
    options = parser.parse_args()
    given = [(suite, Path(os.environ[suite.variable])) for suite in SUITES if os.environ.get(suite.variable)]
    if not given:
        parser.error("set " + ", ".join(f"{suite.variable} ({suite.name})" for suite in SUITES))
    kept = {result["suite"]: result for result in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    unknown = 0
    for suite, source in given:
        if not source.is_dir():
            parser.error(f"{suite.variable}={source} is no folder; name that of {suite.name}'s repository")
        off, on = (outcomes_in(run(suite, source, options.results, is_metered=metered)) for metered in (False, True))
        compared = compare(suite.name, off, on, known_reasons())
        unknown += _tell(suite.name, compared)
        today = datetime.now(UTC).date().isoformat()
        commit = subprocess.run(_COMMIT, capture_output=True, text=True, check=False).stdout.strip() or "not known"
        kept[suite.name] = result_of(suite, compared, version=version(suite.distribution), date=today, commit=commit)
    if options.write:
        results = [kept[suite.name] for suite in SUITES if suite.name in kept]
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page_of(results), encoding="utf-8")
    return 1 if unknown else 0


def _tell(name: str, compared: Comparison) -> int:
    """Print a comparison.

    Returns:
        How many differences have no known reason.
    """
    print(f"{name}: {compared.tests} tests in both, {compared.passed} passed, {len(compared.differences)} differ")
    if compared.only_once:
        print(f"  {len(compared.only_once)} ran only once, such as {compared.only_once[0]}")
    for found in compared.differences:
        print(f"  {found.test}: {found.off.word} -> {found.on.word}: {found.reason}")
        print(f"    {(found.on if found.on.message else found.off).message[:200]}")
    return sum(found.reason == UNKNOWN for found in compared.differences)


if __name__ == "__main__":
    sys.exit(main())

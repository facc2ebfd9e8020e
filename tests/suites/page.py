"""The comparison of suites as a page of the documentation, and as the figures that it is made of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.suites.comparison import UNKNOWN, Comparison
from tests.suites.running import Suite

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "suites.md"
RESULTS: Final = Path(__file__).with_name("results.json")
_HEAD: Final = """# The frameworks' own tests, with the meter on

<!-- written by python -m tests.suites --write -->

A meter must not change a training. So the tests that Lightning, transformers and Accelerate have of their trainers are
run twice, with the meter off and on, and compared test by test. None of their tests is part of this repository; each
suite is run where a variable names the folder of its repository, at the version that is installed or next to it:

```console
$ make suites LIGHTNING_SUITE=../pytorch-lightning
```

A test that ends otherwise with the meter on needs a reason: most compare exact lists or keys, which a metered training
has more of by design. Reasons are kept in `tests/suites/reasons.csv`; without a reason, a difference is listed as
*{unknown}*.
"""


def result_of(suite: Suite, compared: Comparison, *, version: str, date: str, commit: str) -> dict[str, Any]:
    """What is kept of a comparison.

    Args:
        suite: The suite.
        compared: The comparison.
        version: The version of the framework.
        date: When it was made, as ISO 8601.
        commit: The commit of the meter.
    """
    return {
        "suite": suite.name,
        "version": version,
        "date": date,
        "commit": commit,
        "parts": list(suite.parts),
        "tests": compared.tests,
        "passed": compared.passed,
        "only_once": list(compared.only_once),
        "differences": [
            {"test": found.test, "off": found.off.word, "on": found.on.word, "reason": found.reason}
            for found in compared.differences
        ],
    }


def page_of(results: list[dict[str, Any]]) -> str:
    """The page.

    Args:
        results: What is kept of each suite that was run.
    """
    lines = [_HEAD.format(unknown=UNKNOWN)]
    lines += [
        "| suite | version | on | meter at | tests in both | passed in both | differ | of those, reason not known |"
    ]
    lines += ["|---|---|---|---|---:|---:|---:|---:|"]
    for result in results:
        unknown = sum(found["reason"] == UNKNOWN for found in result["differences"])
        counts = f"{result['tests']:,} | {result['passed']:,} | {len(result['differences'])} | {unknown}"
        lines.append(f"| {result['suite']} | {result['version']} | {result['date']} | {result['commit']} | {counts} |")
    for result in results:
        lines += ["", f"## {result['suite']}", "", f"Run: {', '.join(f'`{part}`' for part in result['parts'])}.", ""]
        if result["only_once"]:
            lines += [f"{len(result['only_once'])} tests ran in only one of the two, and are not compared.", ""]
        reasons = Counter(found["reason"] for found in result["differences"])
        lines += ["No test differs."] if not reasons else ["| tests | why they differ |", "|---:|---|"]
        lines += [f"| {count} | {reason} |" for reason, count in reasons.most_common()]
        if reasons:
            lines += ["", "| test | off | on |", "|---|---|---|"]
        lines += [f"| `{found['test']}` | {found['off']} | {found['on']} |" for found in result["differences"]]
    return "\n".join(lines) + "\n"

"""The outcomes of tests, from the files that ``pytest --junitxml`` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

PASSED: Final = "passed"
_TAGS: Final = {"failure": "failed", "error": "error", "skipped": "skipped"}
_ADDRESS: Final = re.compile(r"0x[0-9a-f]+")


class Outcome(NamedTuple):
    """How a test ended.

    Args:
        word: ``passed``, ``failed``, ``error`` or ``skipped``.
        message: The first line of the error; empty where it passed.
        text: The whole of the error, for patterns to look in.
    """

    word: str
    message: str = ""
    text: str = ""


def outcomes_in(files: Iterable[Path]) -> dict[str, Outcome]:
    """The outcome of each test, by its module and name; of a test that was run again, the last one.

    Args:
        files: Files of junit.
    """
    return {
        f"{case.get('classname', '')}::{case.get('name', '')}": _outcome(case)
        for file in files
        for case in ET.parse(file).getroot().iter("testcase")  # noqa: S314 - pytest has just written it
    }


def _outcome(case: ET.Element) -> Outcome:
    for child in case:
        if child.tag in _TAGS:
            message = child.get("message", "").strip()
            first = _ADDRESS.sub("0x…", message.splitlines()[0]) if message else ""
            return Outcome(_TAGS[child.tag], first, f"{message}\n{child.text or ''}")
    return Outcome(PASSED)

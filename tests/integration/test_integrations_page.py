"""The page of integrations: the versions that it names are those that the tests run with."""

from __future__ import annotations

import re

import pytest

from tests.documents import ROOT, table

LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").replace("_", "-")
PINNED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", LINES, re.MULTILINE))
ELSEWHERE = {"torchtune", "torchao", "ray"}
"""What tools/try_torchtune.py and `make frameworks` pin, in environments of their own."""


@pytest.mark.parametrize("row", table("docs/integrations.md", "integration", "what to write"), ids=lambda row: row[0])
def test_a_row_names_the_versions_that_were_tried(row: list[str]) -> None:
    """Each package before a version is pinned to it, and packages that share a version are named together."""
    for names, version in re.findall(r"((?:[\w-]+ and )?[\w-]+) (\d+\.\d+[\w.]*)", row[2]):
        for name in names.split(" and "):
            if name not in ELSEWHERE:
                assert version == PINNED.get(name, name).partition("+")[0]

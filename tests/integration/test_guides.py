"""The tutorials and how-to guides, typed in as they stand, and the notebooks that are made of two of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import entry_points

import pytest
import yaml

from tests.documents import GUIDES, ROOT, fences
from tests.guides import NOTEBOOKS, Typed, notebook_of, typed_in

MOST_LINES = 120
OPTIONAL = {"Not", "Assumed", "Waste", "fix"}
"""What begins lines on some machines and not on others."""
OF_OTHERS = ("pip", "docker", "sbatch", *(script.name for script in entry_points(group="console_scripts")))
"""Programs that guides name and no test can start here."""


@pytest.fixture(scope="module")
def printed() -> dict[str, list[str]]:
    """What everything that is typed prints, by guide: all are run in a single process, so that torch is loaded once."""
    run = [sys.executable, "-m", "tests.guides"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=550)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def beginnings(lines: list[str]) -> set[str]:
    """The first words of lines that are not indented and hold no figure before them."""
    words = (re.match(r"[A-Za-z]+", line) for line in lines)
    return {word[0] for word in words if word} - OPTIONAL


def shown(document: str, typed: Typed) -> list[str]:
    """What a page shows for what is typed."""
    return (ROOT / document).read_text(encoding="utf-8").splitlines()[slice(*typed.output)]


@pytest.mark.parametrize("document", GUIDES)
def test_a_guide_prints_what_it_shows(document: str, printed: dict[str, list[str]]) -> None:
    """Lines begin with the same words, whatever the figures of this machine are; what shows nothing need not print."""
    wrong = [
        (typed.code, missing, text)
        for typed, text in zip(typed_in(document), printed[document], strict=True)
        if typed.is_run and (missing := beginnings(shown(document, typed)) - beginnings(text.splitlines()))
    ]

    assert [] == wrong


@pytest.mark.parametrize("document", GUIDES)
def test_a_guide_is_short_and_shows_what_comes_out(document: str) -> None:
    """It can be read in ten minutes, and all of its blocks are of a kind that is checked."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    printed = sum(len(fence.text.splitlines()) for fence in fences(document) if fence.language == "text")

    assert MOST_LINES >= len(lines) - printed
    assert "…" not in lines
    assert all(line.isprintable() for line in lines)
    assert {fence.language for fence in fences(document)} <= {"python", "console", "text", "bash", "yaml"}
    assert {typed.words[0] for typed in typed_in(document) if not typed.is_run} <= set(OF_OTHERS)


@pytest.mark.parametrize("document", GUIDES)
def test_scripts_of_a_shell_and_yaml_can_be_read(document: str) -> None:
    """A shell finds no mistake in the scripts, and YAML is YAML."""
    for fence in fences(document):
        if fence.language == "bash":
            done = subprocess.run(["bash", "-n"], input=fence.text, capture_output=True, text=True, check=False)

            assert (0, "") == (done.returncode, done.stderr)
        elif fence.language == "yaml":
            assert yaml.safe_load(fence.text)


def test_the_job_of_the_guide_is_one_for_github() -> None:
    """The steps of the workflow are commands, the action is one, and its extras are ours."""
    [fence] = [fence for fence in fences("docs/tutorials/ci.md") if fence.language == "yaml"]
    [job] = yaml.safe_load(fence.text)["jobs"].values()
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")

    assert {"runs-on", "timeout-minutes", "env", "steps"} == set(job)
    assert all(set(step) in ({"run"}, {"uses"}) for step in job["steps"])
    assert set(re.findall(r"lightning-carbon\[(\w+)\]", fence.text)) <= set(setup["options.extras_require"])


@pytest.mark.parametrize("document", NOTEBOOKS)
def test_a_notebook_is_its_guide_without_results(document: str) -> None:
    """It has the words and the code of its page, and nothing that a machine printed; tools/write_guides.py makes it."""
    stored = json.loads(NOTEBOOKS[document].read_text(encoding="utf-8"))

    assert notebook_of(document) == {**stored}
    assert [] == [cell for cell in stored["cells"] if cell.get("outputs")]
    assert f"../notebooks/{NOTEBOOKS[document].name}" in (ROOT / document).read_text(encoding="utf-8")

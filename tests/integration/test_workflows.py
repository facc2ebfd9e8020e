"""The workflows: valid, pinned, without rights that they do not need; and the scripts that they run, run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import yaml

from lightning_carbon import __version__
from lightning_carbon.baseline.costs import baseline_from
from tests.documents import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"uses: *(?P<action>\S+?)@(?P<ref>\S+)(?P<rest>.*)")
TOOLS = Path(sys.executable).parent
RELEASE = run_path(str(ROOT / "tools" / "build_release.py"))

every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


def tool(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment."""
    command = [str(TOOLS / name), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


def loaded(workflow: Path) -> Any:  # noqa: ANN401 - whatever YAML has
    """A workflow as YAML has it; the key ``on`` is ``True`` there."""
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))


def test_there_is_one_for_processors_one_for_gpus_and_one_for_releases() -> None:
    """And no other that nobody checks."""
    everything = {path.name for path in (ROOT / ".github").rglob("*") if path.is_file()}
    of_action = {"action.yml", "energy.sh"}  # test_energy_action.py checks these

    assert {"ci.yml", "gpu.yml", "release.yml"} == {path.name for path in WORKFLOWS}
    assert everything == of_action | {path.name for path in WORKFLOWS}


@every_workflow
def test_a_workflow_has_the_form_that_github_wants(workflow: Path) -> None:
    """By GitHub's own schema, as check-jsonschema brings it along."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)

    assert done.returncode == 0, done.stdout + done.stderr


@every_workflow
def test_a_workflow_opens_no_door(workflow: Path) -> None:
    """By zizmor, with the eyes of its pedantic persona."""
    done = tool("zizmor", "--offline", "--no-progress", "--persona=pedantic", workflow)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checks_can_fail(tmp_path: Path) -> None:
    """A workflow with a slip in it, and one that is pinned to a tag, do not pass."""
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    slip, loose = tmp_path / "slip.yml", tmp_path / "loose.yml"
    slip.write_text(text.replace("runs-on:", "run-on:"), encoding="utf-8")
    loose.write_text(re.sub(r"(actions/checkout)@\w+ # ", r"\1@", text), encoding="utf-8")

    assert 0 != tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", slip).returncode
    assert 0 != tool("zizmor", "--offline", "--no-progress", "--persona=pedantic", loose).returncode


@every_workflow
def test_actions_are_pinned_by_hash_and_say_which_version_that_is(workflow: Path) -> None:
    """Forty digits, and the version behind them for people."""
    used = [found.groupdict() for found in map(USES.search, workflow.read_text(encoding="utf-8").splitlines()) if found]

    assert used
    for action in used:
        assert re.fullmatch(r"[0-9a-f]{40}", action["ref"]), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", action["rest"]), action


@every_workflow
def test_jobs_have_an_end_and_read_at_most(workflow: Path) -> None:
    """Nothing by default, reading where a job checks the code out; only an upload to PyPI has to say who it is."""
    whole = loaded(workflow)

    assert {} == whole["permissions"]
    assert whole["concurrency"]["group"]
    for job in whole["jobs"].values():
        uploads = {"id-token": "write", "attestations": "write"} if job.get("environment") == "pypi" else {}
        assert {"contents": "read", **uploads} == job["permissions"]
        assert 0 < job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_nobody_s_pull_request_runs_on_the_gpu() -> None:
    """It would run a stranger's code on a machine of ours."""
    triggers = loaded(ROOT / ".github" / "workflows" / "gpu.yml")[True]

    assert {"push", "schedule", "workflow_dispatch"} == set(triggers)


@every_workflow
def test_what_a_workflow_runs_is_there(workflow: Path) -> None:
    """Every step is one command: a script that can be executed, or make with a target that it has."""
    for job in loaded(workflow)["jobs"].values():
        for command in (step["run"] for step in job["steps"] if "run" in step):
            program, *words = command.split()
            if program == "make":
                targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

                assert set(words) <= targets
            else:
                assert os.access(ROOT / program, os.X_OK), command


def test_every_supported_python_is_tried() -> None:
    """Those that setup.cfg names."""
    named = set(re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.cfg").read_text(encoding="utf-8")))

    assert named == set(
        loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    )


def test_macos_and_windows_are_tried() -> None:
    """By the tests that need no Linux, in a shell that all of them have."""
    job = loaded(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["portable"]
    systems = {name.partition("-")[0] for name in job["strategy"]["matrix"]["system"]}

    assert {"macos", "windows"} == systems
    assert [("bash", ".ci/portable")] == [(step["shell"], step["run"]) for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("script", ["run", "oldest", "gpu", "portable"])
def test_a_script_is_one_that_bash_understands(script: str) -> None:
    """Down to its last line."""
    done = subprocess.run(["bash", "-n", ROOT / ".ci" / script], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("script", ["oldest", "gpu"])
def test_a_script_that_is_not_told_what_to_do_tells_what_it_can(script: str, tmp_path: Path) -> None:
    """It ends with 2 and starts nothing."""
    copy = tmp_path / ".ci" / script
    copy.parent.mkdir()
    shutil.copy(ROOT / ".ci" / script, copy)
    done = subprocess.run([copy, "nonsense"], capture_output=True, text=True, check=False, timeout=500)

    assert 2 == done.returncode
    assert f".ci/{script} " in done.stderr


# -- .ci/gpu train ----------------------------------------------------------------------------------------------------

TRAINING = """\
import sys
import time
from pathlib import Path

import yaml

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

with open(sys.argv[1]) as file:
    watts = yaml.safe_load(file)["watts"]
if watts < 0:
    sys.exit("this one fails")
Path("runs").mkdir(exist_ok=True)
with Meter(sources=[SimulatedGPU(watts=watts, tick_seconds=0)], project="examples") as meter:
    meter.enter("train")
    for _ in range(10):
        time.sleep(0.01)
        meter.step_done(samples=8, tokens=512)
"""


class Place:
    """A copy of what ``.ci/gpu train`` needs of the repository, with trainings of a moment in it.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "build" / "gpu"
        (folder / ".ci").mkdir(parents=True)
        (folder / "configs").mkdir()
        shutil.copy(ROOT / ".ci" / "gpu", folder / ".ci" / "gpu")
        (folder / "train.py").write_text(TRAINING)

    def train(self, baseline: Path, **watts: float) -> subprocess.CompletedProcess[str]:
        """Train configurations, one for each name, with a GPU of so much power."""
        for name, value in watts.items():
            study = {"command": ["../train.py", "{config}"]}
            (self.folder / "configs" / f"{name}.yaml").write_text(yaml.safe_dump({"watts": value, "study": study}))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "GPU_ENV": str(TOOLS.parent),
            "CONFIGS": " ".join(watts),
            "BASELINE": str(baseline),
            "GITHUB_STEP_SUMMARY": str(self.out / "summary.md"),
        }
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "summary.md").unlink(missing_ok=True)
        return subprocess.run(
            [self.folder / ".ci" / "gpu", "train"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )

    @property
    def summary(self) -> str:
        """What the job tells."""
        return (self.out / "summary.md").read_text(encoding="utf-8")


def test_trainings_are_held_against_the_baseline_and_the_job_fails_where_one_rose(tmp_path: Path) -> None:
    """The first time there is nothing to hold them against, which is said; what they took is then the proposal."""
    place = Place(tmp_path / "a place")
    committed = tmp_path / "baseline.json"
    first = place.train(committed, bert=100.0, elmo=100.0)

    assert 0 == first.returncode, first.stdout + first.stderr
    assert 2 == place.summary.count("**No baseline.**")
    assert not committed.exists()

    shutil.copy(place.out / "baseline.json", committed)
    second = place.train(committed, bert=1_000.0, elmo=20.0)

    assert 1 == second.returncode, second.stdout + second.stderr
    assert ("**Risen.** bert on Simulated GPU 0" in place.summary, "**OK.** elmo on" in place.summary) == (True, True)
    assert "2 runs" in place.summary
    assert (place.out / "runs").is_dir()
    assert {"bert", "elmo"} == {entry.work for entry in baseline_from(json.loads(committed.read_text())).entries}


def test_a_training_that_fails_fails_the_job_and_the_others_go_on(tmp_path: Path) -> None:
    """It is named in the summary."""
    place = Place(tmp_path)
    done = place.train(tmp_path / "baseline.json", broken=-1.0, bert=100.0)

    assert 1 == done.returncode
    assert "### broken\n\nThe training failed" in place.summary
    assert "bert on Simulated GPU 0: no baseline yet" in place.summary


def test_the_committed_baseline_can_be_read() -> None:
    """It has entries of GPUs that somebody has measured, and none that nobody has."""
    path = ROOT / "tests" / "benchmarks" / "results" / "baseline.json"
    entries = baseline_from(json.loads(path.read_text(encoding="utf-8"))).entries

    assert all(entry.run_id and part.is_measured for entry in entries for part in entry.judged)


# -- a release --------------------------------------------------------------------------------------------------------


def test_a_release_is_built_for_the_tag_that_asked_for_it() -> None:
    """Nothing else starts one, and a tag that is not the version's ends it."""
    workflow = loaded(ROOT / ".github" / "workflows" / "release.yml")

    assert {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}} == workflow[True]
    assert "${{ github.ref_name }}" == workflow["jobs"]["build"]["env"]["TAG"]


def test_the_citation_has_the_form_of_its_format_and_the_version() -> None:
    """By the schema of the Citation File Format."""
    citation = ROOT / "CITATION.cff"
    done = tool("check-jsonschema", "--builtin-schema", "vendor.citation-file-format", citation)

    assert done.returncode == 0, done.stdout + done.stderr
    assert __version__ == yaml.safe_load(citation.read_text(encoding="utf-8"))["version"]


def test_the_changelog_has_the_version_and_room_for_the_next() -> None:
    """The newest release is the package's, with the day it is of, below what is not released yet."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, newest = re.findall(r"^## .*", changelog, re.MULTILINE)[:2]

    assert "## [Unreleased]" == unreleased
    assert re.fullmatch(rf"## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", newest)


def test_a_readme_on_pypi_has_links_that_lead_to_the_repository() -> None:
    """Links to files and pictures become absolute; those elsewhere, to headings, and in code stay."""
    readme = "[a](docs/a.md#b) ![two\nlines](x.png) [c](https://c.org) [d](#d)\n```python\ne[f](g)\n```\n[h](LICENSE)\n"

    assert (
        "[a](https://x.org/o/r/blob/v1.2/docs/a.md#b) ![two\nlines](https://x.org/o/r/raw/v1.2/x.png) "
        "[c](https://c.org) [d](#d)\n```python\ne[f](g)\n```\n[h](https://x.org/o/r/blob/v1.2/LICENSE)\n"
        == RELEASE["absolute"](readme, "https://x.org/o/r", "1.2")
    )


@pytest.mark.parametrize("words", [[], ["--url", "example.org/x"], ["--url", "https://example.org/a/b", "--out", "."]])
def test_a_release_that_cannot_be_built_says_what_it_lacks(words: list[str], tmp_path: Path) -> None:
    """No address, an address that is none, a folder that holds files: nothing is built."""
    (tmp_path / "old.whl").touch()
    command = [sys.executable, str(ROOT / "tools" / "build_release.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert 2 == done.returncode
    assert {"old.whl"} == {path.name for path in tmp_path.iterdir()}

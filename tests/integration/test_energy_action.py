"""The action that tells the energy of a job: valid, without doors, and its script, run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT

pytestmark = pytest.mark.linux  # where the script runs

ACTION = ROOT / ".github" / "actions" / "energy"
TOOLS = Path(sys.executable).parent
TRAINING = """
import sys, time
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

with Meter(sources=[SimulatedGPU(watts=float(sys.argv[1]), tick_seconds=0)], project="lisa") as meter:
    meter.enter("train")
    for _ in range(5):
        time.sleep(0.01)
        meter.step_done()
"""


class Job:
    """A job of a pull request, in a clone of a repository whose base branch has a baseline.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin, self.clone = folder / "origin", folder / "clone"
        self.summary, self.output = folder / "summary.md", folder / "output"
        self.origin.mkdir(parents=True)
        (self.origin / "train.py").write_text(TRAINING, encoding="utf-8")
        self._git("init", "--quiet", "--initial-branch=main", cwd=self.origin)

    def commit(self) -> None:
        """Commit what lies in the repository, and clone it."""
        who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        self._git("add", ".", cwd=self.origin)
        self._git(*who, "commit", "--quiet", "--message=base", cwd=self.origin)
        self._git("clone", "--quiet", str(self.origin), str(self.clone), cwd=self.folder)

    def run(self, command: str, *, where: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the script of the action."""
        environment = {
            **os.environ,
            "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_JOB": "train",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "ENERGY_RUN": command,
            "ENERGY_RUNS": "1",
            "ENERGY_REGION": "SE",
            "ENERGY_BASELINE": "baseline.json",
            "ENERGY_TOLERANCE": "0.1",
            **changes,
        }
        return subprocess.run(
            [ACTION / "energy.sh"],
            cwd=where,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """What the action gives to later steps, the last of each name."""
        return dict(line.split("=", 1) for line in self.output.read_text(encoding="utf-8").splitlines())

    @staticmethod
    def _git(*words: str, cwd: Path) -> None:
        subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, timeout=60)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job in a folder whose name has a blank."""
    return Job(tmp_path / "a place")


def test_a_pull_request_is_held_against_its_base_branch(job: Job) -> None:
    """The first time there is no baseline and the job proposes one; where energy rises beside it, the job fails."""
    first = job.run("python train.py 100", where=job.origin)

    assert 0 == first.returncode, first.stdout + first.stderr
    assert "**No baseline.**" in job.summary.read_text(encoding="utf-8")

    (job.origin / "baseline.json").write_bytes(Path(job.outputs["proposal"]).read_bytes())
    job.commit()
    (job.clone / "baseline.json").unlink()  # that of the pull request does not count
    second = job.run("python train.py 1000", where=job.clone, GITHUB_BASE_REF="main")
    told = job.summary.read_text(encoding="utf-8")

    assert 1 == second.returncode, second.stdout + second.stderr
    assert "### Beside the base branch, main\n\n**Risen.**" in told
    assert "## Energy of train" in told
    assert "CO2e" in told
    assert Path(job.outputs["record"]).is_file()


def test_the_trainings_of_a_command_that_runs_twice_are_compared_together(job: Job) -> None:
    """They are a single comparison, and a single entry of the proposal."""
    done = job.run("python train.py 100", where=job.origin, ENERGY_RUNS="2")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert 1 == job.summary.read_text(encoding="utf-8").count("### Beside")
    assert "the middle of 2 runs" in done.stdout + done.stderr


def test_a_number_of_runs_that_is_none_is_refused(job: Job) -> None:
    """Before the command runs."""
    done = job.run("echo never", where=job.origin, ENERGY_RUNS="many")

    assert 1 == done.returncode
    assert "::error::runs: 'many' cannot be used: give a whole number from 1 on\n" == done.stdout


def test_a_command_that_fails_fails_the_job_with_its_own_code(job: Job) -> None:
    """And its energy is told all the same."""
    done = job.run("true | false; echo never", where=job.origin, ENERGY_BASELINE="", ENERGY_REGION="")

    assert (1, False) == (done.returncode, "never" in done.stdout)
    assert "failed" in job.summary.read_text(encoding="utf-8")


def test_a_job_without_the_package_is_told_what_to_install(job: Job) -> None:
    """Before the command runs."""
    done = job.run("echo never", where=job.origin, PATH="/usr/bin:/bin")

    assert (1, "::error::lightning-carbon is not installed in this job: pip install lightning-carbon\n") == (
        done.returncode,
        done.stdout,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.github-actions"),
        ("zizmor", "--offline", "--no-progress", "--persona=pedantic"),
    ],
)
def test_the_action_has_the_form_that_github_wants_and_opens_no_door(words: tuple[str, ...]) -> None:
    """By GitHub's schema, and by zizmor; what a user gives goes to the script by its environment alone."""
    command = [str(TOOLS / words[0]), *words[1:], str(ACTION / "action.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_input_reaches_the_script() -> None:
    """Under the name that the script reads."""
    action = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    [step] = action["runs"]["steps"]

    assert {f"ENERGY_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} == step["env"]
    assert os.access(ACTION / "energy.sh", os.X_OK)

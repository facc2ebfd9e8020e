"""The tests on a GPU where there is none: they say why they skip, and need no more than an image for CUDA has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.gpu.measuring.results import PREFIX, Results, gpu_facts, machine_of, plain, read_results, slug
from tests.nvml_standin import Gpu, Scenario, Standin, gpu_uuid

pytestmark = pytest.mark.timeout(900)

MACHINE = {"gpu": "NVIDIA H100 80GB HBM3", "driver": "580.1"}

# What `make venv` installs and such an image has not.
MISSING = ("accelerate", "hypothesis", "jsonargparse", "lightning", "platformdirs", "pytest_timeout", "rich", "typer")
LACKING = f"""\
import sys
from importlib.machinery import PathFinder


class Lacking(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {MISSING!r} else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Lacking
"""


def make_test_gpu(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it as a user does, with the interpreter of these tests."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST"))}
    return subprocess.run(
        ["make", "--no-print-directory", "test-gpu", f"PYTHON={sys.executable}", "PYTEST_ARGS=-p no:cacheprovider"],
        cwd=ROOT,
        env={**keep, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def test_without_a_gpu_everything_skips_with_the_reason(tmp_path: Path) -> None:
    """In an environment that has nothing but what an image for CUDA has, too; no results are written."""
    (tmp_path / "sitecustomize.py").write_text(LACKING)
    done = make_test_gpu(
        {
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "GPU_RESULTS": str(tmp_path / "results"),
        }
    )
    [counts] = re.findall(r"= (.*) in [\d.]+s", done.stdout)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert re.fullmatch(r"\d+ skipped(, \d+ warnings?)?", counts)
    assert "torch finds no GPU that it can use" in done.stdout
    assert not (tmp_path / "results").exists()


PLUGIN = f"""\
import pytest

from tests.gpu.conftest import pytest_runtest_makereport, results


@pytest.fixture(scope="session")
def gpu_uuid():
    return {gpu_uuid(1)!r}
"""
MEASURING = """\
import pytest

pytestmark = pytest.mark.gpu


def test_measures(results):
    results.add("ticks", {"period_seconds": 0.1})


def test_skips(results):
    pytest.skip("this GPU counts no energy")


def test_fails(results):
    results.add("shapes", [1.5])
    raise AssertionError
"""


@pytest.mark.parametrize("words", [["-m", "gpu"], []])
def test_what_the_tests_measure_is_written_at_their_end(
    words: list[str], nvml_standin: Standin, tmp_path: Path
) -> None:
    """Of the GPU that computes, those that failed included, and what was skipped and why; not by `make test`."""
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_it.py").write_text(MEASURING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    gpu: needs one\n")
    machine = Scenario.of(Gpu(name="NVIDIA A100-SXM4-80GB"), Gpu(name="NVIDIA H100 PCIe"))
    environ = {**nvml_standin.environment(machine), "PYTHONPATH": str(ROOT), "GPU_RESULTS": str(tmp_path / "found")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words, str(tmp_path)]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)
    found = read_results(tmp_path / "found")
    if not words:
        assert (0, []) == (done.returncode, found), done.stdout
        return

    assert "1 failed, 1 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert f"results of NVIDIA H100 PCIe in {tmp_path / 'found' / 'gpu-h100-pcie.json'}" in done.stdout
    assert [{"ticks": {"period_seconds": 0.1}, "shapes": [1.5]}] == [result["results"] for result in found]
    assert [{"test_skips": "this GPU counts no energy"}] == [result["skipped"] for result in found]
    assert found[0]["machine"]["driver"]


# -- the file of results --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a test may have measured."""

    watts: float
    by_name: dict[str, float]


def test_what_was_measured_is_written_and_read(tmp_path: Path) -> None:
    """With the machine, the time it took and the date; under the model's name, so that the next run takes its place."""
    results = Results(MACHINE)
    results.add("shapes", [Found(300.0, {"power": 1.0})])
    results.skipped["test_x"] = "not there"
    first = results.write(tmp_path, 12.34)
    results.add("more", {"a": Found(1.0, {})})
    second = results.write(tmp_path, 20.0)
    [read] = read_results(tmp_path)

    assert tmp_path / f"{PREFIX}h100-80gb-hbm3.json" == first == second
    assert {"shapes": [{"watts": 300.0, "by_name": {"power": 1.0}}], "more": {"a": {"watts": 1.0, "by_name": {}}}} == (
        read["results"]
    )
    assert (MACHINE, {"test_x": "not there"}, 20.0) == (read["machine"], read["skipped"], read["seconds"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", read["measured_at"])


def test_nothing_measured_is_nothing_written(tmp_path: Path) -> None:
    """No file says of a GPU what nobody has seen."""
    assert None is Results(MACHINE).write(tmp_path / "results", 1.0)
    assert ([], False) == (read_results(tmp_path / "results"), (tmp_path / "results").exists())


def test_a_section_is_measured_once() -> None:
    """Two tests that use one name would hide one another's figures."""
    results = Results(MACHINE)
    results.add("ticks", None)

    with pytest.raises(ValueError, match="ticks was measured already"):
        results.add("ticks", 1)


def test_a_file_of_another_schema_is_refused(tmp_path: Path) -> None:
    """It is not read half."""
    (tmp_path / f"{PREFIX}x.json").write_text(json.dumps({"schema": 99}))

    with pytest.raises(ValueError, match="has schema 99, and 1 is known"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("name", "part"),
    [("NVIDIA H100 80GB HBM3", "h100-80gb-hbm3"), ("Tesla T4", "tesla-t4"), ("NVIDIA RTX™ 6000", "rtx-6000")],
)
def test_a_model_s_name_is_part_of_a_file_s(name: str, part: str) -> None:
    """Without what a file's name may not have."""
    assert part == slug(name)


def test_the_machine_is_told_as_its_driver_does(nvml_standin: Standin) -> None:
    """Model, driver and limit; what this driver does not tell is not known, and not made up."""
    import pynvml

    with nvml_standin.showing(Scenario.of(Gpu(limit_milliwatts=350_000))):
        facts = gpu_facts()
        pynvml.nvmlShutdown()
    machine = machine_of(facts)

    assert ("NVIDIA H100 80GB HBM3", 350.0, 9, False) == (
        machine["gpu"],
        machine["power_limit_watts"],
        machine["architecture"],
        machine["mig"],
    )
    assert machine["packages"]["torch"]
    assert machine == json.loads(json.dumps(plain(machine)))


def test_committed_results_can_be_read_and_name_their_machine() -> None:
    """Every file says which GPU, driver and versions it is of."""
    for result in read_results():
        assert all(result["machine"][name] for name in ("gpu", "driver", "packages", "python")), result["machine"]
        assert result["results"]


def test_all_parts_together_are_given_less_than_nine_minutes() -> None:
    """The budget names every file of tests, and adds up."""
    given = dict(re.findall(r"^(test_\w+) +(\d+)  ", (ROOT / "tests/gpu/__init__.py").read_text(), re.MULTILINE))

    assert {path.stem for path in (ROOT / "tests" / "gpu").glob("test_*.py")} == set(given)
    assert sum(map(int, given.values())) <= 540

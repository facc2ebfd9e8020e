"""What the real libraries of trackers hold of a run, offline: totals and ranges, settings, the record, the figure.

These libraries are no part of the environment of the tests. ``make trackers`` makes one with them, runs this, and
writes down what was seen in tests/data/trackers.json, which the table in docs/trackers.md is made of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.records.conclusion import FACTS

ROOT = Path(__file__).resolve().parents[3]
SEEN = ROOT / "tests" / "data" / "trackers.json"
PATIENCE_SECONDS = 500
MODULES = {
    "wandb": "wandb",
    "mlflow": "mlflow",
    "comet": "comet_ml",
    "trackio": "trackio",
    "clearml": "clearml",
    "aim": "aim",
}
PACKAGES = {**MODULES, "mlflow": "mlflow-skinny"}
TRAININGS = [
    ("wandb", "lightning"),
    ("mlflow", "lightning"),
    ("comet", "lightning"),
    ("aim", "lightning"),
    ("wandb", "huggingface"),
    ("mlflow", "huggingface"),
    ("comet", "huggingface"),
    ("trackio", "huggingface"),
    ("clearml", "huggingface"),
    ("aim", "huggingface"),
    ("wandb", "accelerate"),
    ("mlflow", "accelerate"),
    ("comet", "accelerate"),
    ("trackio", "accelerate"),
    ("clearml", "accelerate"),
    ("aim", "accelerate"),
]
RUN_SO_FAR = "energy/run_joules"
WORDS = ("carbon/region", "carbon/boundary", "energy/provenance")


def trained(folder: Path, tracker: str, trainer: str) -> dict[str, Any]:
    """What the tracker holds after a training."""
    command = [sys.executable, "-m", "tests.integration.trackers.train", tracker, trainer, str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=env, cwd=folder, timeout=PATIENCE_SECONDS
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("HELD ")]
    assert lines, done.stdout + done.stderr
    assert "did not take the energy" not in done.stderr
    held: dict[str, Any] = json.loads(lines[-1].removeprefix("HELD "))
    return held


def note(tracker: str, trainer: str, held: dict[str, Any]) -> None:
    """Keep what was seen, where it is asked for."""
    if "TRACKERS_SEEN" not in os.environ:
        return
    path = Path(os.environ["TRACKERS_SEEN"])
    seen = json.loads(path.read_text()) if path.exists() else {}
    seen[f"{trainer} {tracker}"] = {
        "version": version(PACKAGES[tracker]),
        "facts": sum(fact.name in held["values"] for fact in FACTS),
        "settings": len(held["settings"]),
        "record": held["record"] is not None,
        "images": held["images"] > 0,
    }
    path.write_text(json.dumps(dict(sorted(seen.items())), indent=2) + "\n")


@pytest.mark.parametrize(("tracker", "trainer"), TRAININGS)
def test_a_tracker_holds_the_run(tmp_path: Path, tracker: str, trainer: str) -> None:
    """The total that it shows is the record's, and beside it stands what that rests on."""
    if find_spec(MODULES[tracker]) is None:
        pytest.skip(f"{tracker} is not installed here; `make trackers` runs this with it")
    held = trained(tmp_path, tracker, trainer)
    values, record = held["values"], held["expected"]
    total = record["energy"]["total_joules"]

    assert {fact.name for fact in FACTS} <= values.keys()
    assert values[RUN_SO_FAR] == pytest.approx(total, abs=1e-6)
    assert values["carbon/run_grams_co2e"] == pytest.approx(record["carbon"]["grams_co2e"], rel=1e-6)
    market, water, machine = record["carbon"]["market"], record["water"], record["machine"]
    assert values["energy/run_machine_kwh"] == pytest.approx(machine["joules"] / 3_600_000, rel=1e-6)
    assert values["carbon/run_market_grams_co2e"] == pytest.approx(market["grams_co2e"], rel=1e-6)
    assert values["water/run_litres"] == pytest.approx(water["litres"], rel=1e-6)
    assert ("Sweden", "machine", "GPU counter") == tuple(values[name] for name in WORDS)
    assert ("Sweden", "lisa") == (held["settings"]["region"], held["settings"]["project"])
    assert not [name for name in values if name.startswith("gpu/")]  # trackio's own, of a GPU that is not here
    assert held["images"] > 0
    assert held["record"] is not None
    assert held["record"]["run_id"] == record["run_id"]
    assert "host 0" == held["record"]["host"]["name"]
    note(tracker, trainer, held)


def test_what_was_seen_is_all_that_is_tried() -> None:
    """The file that the table is made of has every training, with all that a tracker is to hold."""
    seen = json.loads(SEEN.read_text())

    assert sorted(f"{trainer} {tracker}" for tracker, trainer in TRAININGS) == sorted(seen)
    for held in seen.values():
        assert (len(FACTS), True, True) == (held["facts"], held["record"], held["images"])
        assert held["settings"] > 0

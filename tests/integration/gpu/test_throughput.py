"""The same training with and without the callback in turns, on a processor; and what is made of the turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.measuring import train_child
from tests.gpu.measuring.throughput import ROOT, compare_arms, ratio_of

CONFIG = ROOT / "configs" / "transformer_small.yaml"
TINY = {
    "model.width": 16,
    "model.heads": 2,
    "model.layers": 1,
    "model.hidden": 32,
    "data.vocabulary": 300,
    "data.batch_size": 4,
}
PARAMETERS = 1_000


def environment() -> dict[str, str]:
    """That of these tests, with one processor each for two trainings that take turns."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_the_ratio_is_the_median_of_pairs() -> None:
    """One pair that something else has disturbed changes nothing."""
    plain = [1.0, 1.1, 0.9, 1.0, 1.0, 1.0, 1.2, 0.8, 1.0, 1.0, 1.0, 5.0]
    metered = [speed / 0.99 for speed in plain[:-1]] + [1.0]
    found = ratio_of(plain, metered, 20, PARAMETERS)

    assert found.ratio == pytest.approx(0.99)
    assert (12, 20, 1_000) == (found.pairs, found.steps_per_turn, found.parameters)
    assert found.step_seconds == pytest.approx(1.0 / 20)
    assert 0 <= found.standard_error < 0.01


def test_what_is_not_even_is_told_as_uncertain() -> None:
    """The standard error grows with the spread of the pairs."""
    close, wide = (
        ratio_of([1.0] * 8, [1.0 + spread * step for step in range(8)], 1, PARAMETERS) for spread in (0.01, 0.1)
    )

    assert close.standard_error < wide.standard_error


def test_two_trainings_take_turns(tmp_path: Path) -> None:
    """Both are real, of the example and its configuration; one is metered, and its record has every step."""
    found = compare_arms(
        CONFIG, TINY, tmp_path, environ=environment(), steps=3, seconds=0.0, most_pairs=3, warm_pairs=1
    )
    [record] = [json.loads(path.read_text()) for path in (tmp_path / "ledger").rglob("record.json")]

    assert (3, 3) == (found.pairs, found.steps_per_turn)
    assert (12, "completed") == (record["steps"], record["status"])
    assert found.ratio > 0
    assert found.parameters > 1_000


def test_a_training_that_fails_says_why(tmp_path: Path) -> None:
    """Its last words are in the error, and nothing is left behind that runs."""
    with pytest.raises(RuntimeError, match=r"(?s)the training failed.*nowhere\.yaml"):
        compare_arms(tmp_path / "nowhere.yaml", {}, tmp_path, environ=environment())


def test_the_study_trains_a_configuration_as_its_example_does(tmp_path: Path) -> None:
    """Without the command line's library: what `study measure` is given to run on a GPU's machine."""
    changes = {**TINY, "trainer.max_steps": 2, "trainer.limit_val_batches": 0, "trainer.enable_progress_bar": False}
    done = subprocess.run(
        [sys.executable, str(train_child.__file__), str(CONFIG), json.dumps(changes)],
        cwd=tmp_path,
        env={**environment(), "LIGHTNING_CARBON_LEDGER": str(tmp_path / "ledger")},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    [record] = [json.loads(path.read_text()) for path in (tmp_path / "ledger").rglob("record.json")]

    assert 2 == record["steps"]

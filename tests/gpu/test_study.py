"""The study's method on a real GPU: its four models, each trained for some twenty seconds. Takes three minutes."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.gpu.measuring import train_child
from tests.gpu.measuring.results import Results
from tests.gpu.measuring.throughput import ROOT

pytestmark = pytest.mark.gpu

MINUTES = 0.35
WARMUP_SECONDS = 8.0
# As published, save for how much is done at a time: the configurations say what it takes.
MODELS: dict[str, dict[str, object]] = {
    "transformer_base": {"trainer.enable_progress_bar": False, "trainer.enable_checkpointing": True},
    "elmo": {"trainer.enable_progress_bar": False, "trainer.enable_checkpointing": True},
    "bert_base": {"training.disable_tqdm": True, "training.report_to": "none"},
    "gpt2": {"training.disable_tqdm": True, "training.report_to": "none"},
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_of_the_study_is_measured(
    model: str, gpu_uuid: str, tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its GPU's power is measured, not modelled, and its speed is known."""
    pytest.importorskip("yaml", reason="PyYAML, which reads the configurations, is not installed")
    if "training.disable_tqdm" in MODELS[model] and find_spec("accelerate") is None:
        pytest.skip("accelerate, which Hugging Face's Trainer needs, is not installed")
    from lightning_carbon.measuring import measure

    monkeypatch.chdir(tmp_path)
    config = ROOT / "configs" / f"{model}.yaml"
    words = [sys.executable, str(train_child.__file__), str(config), json.dumps(MODELS[model])]
    measured = measure(
        None,
        command=words,
        minutes=MINUTES,
        warmup_seconds=WARMUP_SECONDS,
        name=model,
        ledger=tmp_path / "ledger",
        setup_minutes=2.0,
    ).measurement
    results.add(f"study/{model}", measured)
    gpus = [domain for domain in measured.domains if domain.kind == "gpu"]

    assert [gpu_uuid in gpu.id for gpu in gpus] == [True]
    assert gpus[0].provenance in {"counter", "integrated"}
    assert (gpus[0].watts or 0) > 0
    assert (measured.speed.steps_per_second or 0) > 0

"""What the callback costs the trainings of the 2019 study on a real GPU, in bf16. Takes about a minute a model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.gpu.measuring.results import Results
from tests.gpu.measuring.throughput import ROOT, compare_arms

pytestmark = pytest.mark.gpu

TARGET = 0.99

# Batches that leave room for two trainings on a GPU of 24 GB, and steps of some ten milliseconds, which cost the most.
LIGHTNING = {"trainer.accumulate_grad_batches": 1, "trainer.precision": "bf16-mixed"}
HUGGING_FACE = {
    "training.bf16": True,
    "training.gradient_accumulation_steps": 1,
    "training.per_device_train_batch_size": 16,
}
MODELS: dict[str, dict[str, object]] = {
    "transformer_base": {**LIGHTNING},
    "bert_base": {**HUGGING_FACE},
    "gpt2": {**HUGGING_FACE, "training.per_device_train_batch_size": 4},
}


@pytest.mark.parametrize("model", MODELS)
def test_the_callback_costs_next_to_nothing(model: str, gpu_uuid: str, tmp_path: Path, results: Results) -> None:
    """Steps a second with it over those without it, taken in turns: at least 0.99, within twice the standard error."""
    assert gpu_uuid
    pytest.importorskip("yaml", reason="PyYAML, which reads the configurations, is not installed")
    if "training.bf16" in MODELS[model]:
        pytest.importorskip("accelerate", reason="accelerate, which Hugging Face's Trainer needs, is not installed")
    else:
        pytest.importorskip("pytorch_lightning", reason="pytorch-lightning is not installed")
    found = compare_arms(ROOT / "configs" / f"{model}.yaml", MODELS[model], tmp_path, environ=os.environ, seconds=20.0)
    results.add(f"throughput/{model}", found)

    assert found.ratio + 2 * found.standard_error >= TARGET

"""The size of a model, in words."""

from __future__ import annotations

import pytest

from lightning_carbon.records.model_size import ModelSize


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (ModelSize(1_700_000, 1_700_000), "1,700,000 parameters, all trained"),
        (ModelSize(1_700_000, 8_192), "8,192 of 1,700,000 parameters trained"),
        (ModelSize(1_700_000, 0), "0 of 1,700,000 parameters trained"),
    ],
)
def test_trained_parameters_stand_beside_all(size: ModelSize, words: str) -> None:
    """Where none is frozen, one number says it."""
    assert words == size.sentence

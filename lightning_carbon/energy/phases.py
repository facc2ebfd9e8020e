"""What a training is doing at a moment."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The phases of a run; at every moment it is in exactly one, so their energies add up to the run's."""

    SETUP = "setup"
    """Building the model, the data and the processes, before training."""
    SANITY = "sanity"
    """Lightning's trial of the validation loop before training."""
    TRAIN = "train"
    """Training steps, the waiting for their data included."""
    VALIDATE = "validate"
    """Evaluation during training."""
    TEST = "test"
    """Evaluation on the test set."""
    PREDICT = "predict"
    """Inference."""
    CHECKPOINT = "checkpoint"
    """Saving."""
    OTHER = "other"
    """Anything else."""

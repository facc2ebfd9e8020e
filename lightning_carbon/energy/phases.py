"""What a training is doing at a moment: its phase, and the part of a step within it."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The phases of a run; at every moment it is in exactly one, so their energies add up to the run's."""

    SETUP = "setup"
    """Building the model, the data and the processes, before training."""
    SANITY = "sanity"
    """Lightning's trial of the validation loop before training."""
    TUNE = "tune"
    """Searching for a learning rate or a size of batches, before training."""
    TRAIN = "train"
    """Training steps, the waiting for their data included."""
    VALIDATE = "validate"
    """Evaluation during training."""
    TEST = "test"
    """Evaluation on the test set."""
    PREDICT = "predict"
    """Inference with the trained model."""
    CHECKPOINT = "checkpoint"
    """Writing the state of the training to disk."""
    OTHER = "other"
    """Anything else."""


class Part(StrEnum):
    """The parts of a phase; like phases, a run is in exactly one at every moment.

    Time that no hook marks as a part is ``other``, so the parts of a phase always add up to it.
    """

    DATA = "data"
    """Waiting for the next batch."""
    FORWARD = "forward"
    """From the batch to the loss."""
    BACKWARD = "backward"
    """From the loss to the gradients."""
    OPTIMIZER = "optimizer"
    """From the gradients to the new weights."""
    OTHER = "other"
    """Anything else, and whatever no hook marks."""

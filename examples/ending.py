"""What an example says when its training is over: that the loss fell, what it took, where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lightning_carbon import CarbonCallback, CarbonTrainerCallback


def print_ending(callback: CarbonCallback | CarbonTrainerCallback, logs: Path, losses: Sequence[str]) -> None:
    """Print the losses, the callback's table, which ends with where the record is, and where the logs are.

    Args:
        callback: The callback that metered the training.
        logs: Folder of the TensorBoard logs, from which the losses are read.
        losses: Tags of the losses to show.
    """
    events = EventAccumulator(str(logs), size_guidance={"scalars": 0}).Reload()
    written = events.Tags()["scalars"]
    print()
    for tag in losses:
        if tag in written:
            values = [event.value for event in events.Scalars(tag)]
            print(f"{tag:<12} {values[0]:.3f} -> {values[-1]:.3f}")
    if callback.record is not None:
        print(f"\n{callback.record.summary()}\n")
    print(f"TensorBoard  {logs}")
    print(f"             tensorboard --logdir {logs.parent}")

"""What an example does when its training is over: say that the loss fell, what it took, where to look.

A training that is stopped from outside is over, too: by Ctrl-C, or by SIGTERM, with which schedulers and
``lightning-carbon study measure`` end a program. Both end it at once, with its record closed, and no traceback.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overview import Told, overview
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from lightning_carbon import CarbonCallback, CarbonTrainerCallback

KWH = "energy/forecast_run_kwh"
REMAINING = "forecast/remaining_seconds"


@contextmanager
def ending(tell: Callable[[], None]) -> Iterator[None]:
    """Run a training that may be stopped, and tell what it took, however it ended, unless by an error.

    Args:
        tell: Called at the end.

    Raises:
        SystemExit: It was stopped: 130 by Ctrl-C, 143 by SIGTERM, as shells have it.
    """

    def stop(number: int, _: FrameType | None) -> None:
        # A second signal changes nothing: the record is being closed.
        signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + number)

    stopped: SystemExit | None = None
    earlier = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit as exit_:
        stopped = exit_
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if stopped is not None and stopped.code not in {128 + number for number in earlier}:
        raise stopped
    tell()
    if stopped is not None:
        raise stopped


def print_ending(callback: CarbonCallback | CarbonTrainerCallback, logs: Path, losses: Sequence[str]) -> None:
    """Print the losses, what it took, where the record is, and where the logs are.

    Args:
        callback: The callback that metered the training.
        logs: Folder of the TensorBoard logs, from which the losses and the forecasts are read.
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
        print(f"\n{overview(callback.record, read_forecasts(events))}\n")
        print(f"Record       {callback.record.location}")
        print("             lightning-carbon runs show")
    print(f"TensorBoard  {logs}")
    print(f"             tensorboard --logdir {logs.parent}")


def read_forecasts(events: EventAccumulator) -> list[Told]:
    """The forecasts of a run, from its TensorBoard logs; a Hugging Face Trainer puts ``train/`` before their names."""
    written = events.Tags()["scalars"]
    prefix = next((name for name in ("", "train/") if f"{name}{KWH}" in written), None)
    if prefix is None:
        return []
    names = (KWH, f"{KWH}_low", f"{KWH}_high", REMAINING)
    columns = [[event.value for event in events.Scalars(f"{prefix}{name}")] for name in names]
    steps = [event.step for event in events.Scalars(f"{prefix}{KWH}")]
    per_kwh = JOULES_PER_KILOWATT_HOUR
    return [
        Told(step, value * per_kwh, low * per_kwh, high * per_kwh, left)
        for step, value, low, high, left in zip(steps, *columns, strict=False)
    ]

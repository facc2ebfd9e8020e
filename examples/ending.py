"""What an example does when its training is over: say that the loss fell, what it took, where to look.

A training that is stopped from outside is over, too: by Ctrl-C, or by SIGTERM, with which schedulers and
``lightning-carbon study measure`` end a program. Both end it at once, with its record closed, and no traceback.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forecasts import forecast_lines, read_forecasts
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from lightning_carbon import CarbonCallback, CarbonTrainerCallback


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
    """Print losses, forecasts, the callback's table, which ends with where the record is, and where the logs are.

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
        for line in forecast_lines(read_forecasts(events), callback.record.energy.total_joules):
            print(line)
        print(f"\n{callback.record.summary()}\n")
    print(f"TensorBoard  {logs}")
    print(f"             tensorboard --logdir {logs.parent}")

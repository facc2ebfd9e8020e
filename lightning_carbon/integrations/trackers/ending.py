"""Hands the end of a run to trackers: totals with their ranges, what they rest on, the record, the figure.

A tracker may write to a server that does not answer, and some do so while they are called. So they are called on a
thread, after the record is stored, and waited for during a few seconds at most: what takes longer goes on beside the
program, and ends with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Any, Final

from lightning_carbon.integrations.shared.guard import guarded, logger, told_of
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.ledger.files import to_json
from lightning_carbon.records.anonymous import anonymous
from lightning_carbon.records.conclusion import figures_of, words_of
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.report.board import POWER
from lightning_carbon.settings import MeterConfig
from lightning_carbon.values import dataclass, field

PATIENCE_SECONDS: Final = 5.0
"""As long as the end of a program waits for trackers, all together."""
SECTION: Final = "lightning_carbon"
"""Under which settings and files are kept where a tracker has folders or sections."""
RECORD_FILE: Final = "record.json"
IMAGE_FILE: Final = "power_over_time.png"
IMAGE_NAME: Final = POWER.name


@dataclass(frozen=True)
class Ending:
    """What is told of a run that has ended.

    Args:
        figures: Numbers by name.
        words: Texts by name.
        settings: What the run was metered with.
        step: The last step.
        record: The record as a mapping; ``None`` where no copy of it is wanted.
        image: The figure of the power, height by width by red, green and blue; ``None`` where there is none.
    """

    figures: Mapping[str, float]
    words: Mapping[str, str]
    settings: Mapping[str, str | float]
    step: int
    record: Mapping[str, Any] | None = None
    image: Any = field(default=None, repr=False)

    @property
    def facts(self) -> dict[str, float | str]:
        """Numbers and texts."""
        return {**self.figures, **self.words}

    @property
    def record_text(self) -> str | None:
        """The record as the ledger would write it."""
        return None if self.record is None else to_json(dict(self.record), indent=2)


Show = Callable[[Ending], None]
"""Tells a tracker of the end of a run."""


@dataclass(frozen=True)
class Target:
    """A tracker that is told of the end of a run.

    Args:
        owner: The logger or callback of the user, which is named where it does not take what it is given.
        show: Tells it; looked up on the thread of the program, called on another.
    """

    owner: object
    show: Show


def ending_of(ended: FinishedRun, config: MeterConfig, *, copies: CopyRecord, prefix: str = "") -> Ending:
    """What is told of a run.

    Args:
        ended: The run.
        config: What it was metered with.
        copies: Whether trackers get a copy of the record, and whether it names machines and devices.
        prefix: What stands before the names of metrics.
    """
    record = ended.record
    copy = None if not copies else to_mapping(record if copies == "whole" else anonymous(record))
    figures, words = figures_of(record, prefix), words_of(record, prefix)
    return Ending(figures, words, settings_of(config), ended.step, copy, ended.image)


def settings_of(config: MeterConfig) -> dict[str, str | float]:
    """The settings that make a figure what it is, as plain values; no folders, no devices."""
    found: dict[str, str | float | None] = {
        "region": config.intensity.place,
        "intensity": config.intensity.value,
        "pue": config.pue.value,
        "market_intensity": None if config.market_intensity is None else config.market_intensity.value,
        "wue": None if config.wue is None else config.wue.value,
        "machine": config.machine if isinstance(config.machine, str) else config.machine.machine,
        "project": config.project,
        "run_name": config.run_name,
        "interval_seconds": config.interval_seconds,
        "detail": config.detail,
        "cpu_scope": config.cpu_scope,
        "gpu_scope": config.gpu_scope,
    }
    return {name: value for name, value in found.items() if value is not None}


@guarded()
def show_ending(targets: Sequence[Target], ending: Ending, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Tell trackers of the end of a run. Never raises, and waits for a few seconds at most.

    Args:
        targets: The trackers.
        ending: What they are told.
        patience_seconds: How long to wait for all of them.
    """
    if not targets:
        return
    finished = threading.Event()

    def show_all() -> None:
        for target in targets:
            with told_of(target.owner):
                target.show(ending)
        finished.set()

    context = copy_context()  # some trackers keep in it which run is theirs
    threading.Thread(target=context.run, args=(show_all,), name="lightning-carbon-trackers", daemon=True).start()
    if not finished.wait(patience_seconds):
        names = ", ".join(type(target.owner).__name__ for target in targets)
        logger.warning("%s took longer than %g s for the end of a run, and goes on by itself", names, patience_seconds)

"""The concrete adapters that an engine is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.exporting.live import Publish, publish_nowhere
from lightning_carbon.ranks import OwnIdentity, Ranks
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lightning_carbon.carbon.rest import RestModel
    from lightning_carbon.metering.pricing import GrowingSeries
    from lightning_carbon.ports import Clock, Finding, RunIdentity, RunStore, StepClock
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.records.trial import SweepTrial

    TellOutcome = Callable[[Mapping[str, object]], None]
    AskRecord = Callable[[], RunRecord | None]


class MeteredSubject(NamedTuple):
    """What is metered, where that is not the program of the meter.

    Args:
        text: What it is, for people.
        pid: The process at its root; ``None`` for the whole machine.
    """

    text: str
    pid: int | None = None


def nobody(tell: TellOutcome, ask: AskRecord) -> None:
    """No search asks for the run."""


@dataclass(frozen=True, slots=True)
class Adapters:
    """The concrete adapters behind one meter.

    Args:
        findings: The findings of discovery, usable or not.
        clock: The monotonic clock and the wall clock beside it.
        store: The store of the record.
        host: The facts about the machine.
        ranks: The place of this process in the run.
        identity: The way in which ranks agree on the name of the run.
        pid_started: When this process started, in seconds since 1970, where that is known.
        pid_namespace: The namespace of process numbers here, where that is known.
        step_clock: Tells when the device got to a mark; ``None`` where the program computes by itself.
        rest: The model of the rest of the machine beside its chips; ``None`` where there is none.
        live: Fetches carbon intensities while the run goes on; ``None`` where nobody asked for that.
        neighbours: Names other programs on hardware that is metered whole, or returns an empty string; called now and
            then.
        subject: What is metered, where that is not this program, for people.
        publish: Exports the run while it goes on, where somebody asks for that.
        project: The project of the run that this process joins; ``None`` for that of the settings.
        trial: The trial of a sweep that the run is; ``None`` where it is none.
        follow_trial: Called with what tells the run the outcome of its trial, and what gives the record at its end, for
            the search that knows the one and may want the other.
    """

    findings: Sequence[Finding]
    clock: Clock
    store: RunStore
    host: Mapping[str, str | int | None]
    ranks: Ranks = field(default_factory=Ranks)
    identity: RunIdentity = field(default_factory=OwnIdentity)
    pid_started: float | None = None
    pid_namespace: int | None = None
    step_clock: StepClock | None = None
    rest: RestModel | None = None
    live: GrowingSeries | None = None
    neighbours: Callable[[], str] = str
    subject: str | None = None
    publish: Publish = publish_nowhere
    project: str | None = None
    trial: SweepTrial | None = None
    follow_trial: Callable[[TellOutcome, AskRecord], None] = nobody

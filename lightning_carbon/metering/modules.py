"""The modules of a run's model, which hardly any run asks for: what samples them is loaded where ``detail`` says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lightning_carbon.energy.attribution import MarkFields
    from lightning_carbon.energy.module_reports import WatchedModel
    from lightning_carbon.energy.timeline import Timeline
    from lightning_carbon.ports import Clock, StepClock
    from lightning_carbon.records.journal import Beat
    from lightning_carbon.settings import MeterConfig


class RunModules(Protocol):
    """What a run asks of the modules of its model."""

    @property
    def is_watching(self) -> bool:
        """Whether there is a model to watch."""

    def watch(self, model: WatchedModel) -> None:
        """Watch the modules of a model."""

    def note(self, ticket: object, mark: MarkFields) -> None:
        """Note a mark of the training."""

    def settle(self, at_ns: int, timelines: Sequence[Timeline], roots: Callable[[], Iterable[int]]) -> int:
        """Take in what readings have settled, and return the first moment that is still needed."""

    def conclude(self) -> None:
        """Work out the shares, at the end of the run."""

    def added_to(self, beat: Beat) -> Beat:
        """A beat of the journal with what is known of the modules."""

    def close(self) -> None:
        """Watch nothing any more."""


class NoModules:
    """The modules of a run that does not ask for them."""

    is_watching = False

    def watch(self, model: WatchedModel) -> None:
        """Leave the model as it is."""

    def note(self, ticket: object, mark: MarkFields) -> None:
        """Need no mark."""

    def settle(self, at_ns: int, timelines: Sequence[Timeline], roots: Callable[[], Iterable[int]]) -> int:
        """Need no moment of the past."""
        del timelines, roots
        return at_ns

    def conclude(self) -> None:
        """Have nothing to work out."""

    def added_to(self, beat: Beat) -> Beat:
        """Add nothing to a beat."""
        return beat

    def close(self) -> None:
        """Have nothing to end."""


def modules_of(config: MeterConfig, clock: Clock, step_clock: StepClock | None) -> RunModules:
    """The modules of a run, sampled where its settings ask for them.

    Args:
        config: The settings.
        clock: The meter's clock.
        step_clock: Tells when the device got to a boundary; ``None`` where the program computes by itself.
    """
    if config.detail != "module":
        return NoModules()
    from lightning_carbon.metering.module_sampling import ModuleSampling

    return ModuleSampling(config.module_every, clock, step_clock)

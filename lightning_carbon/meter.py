"""The public meter, for loops of the user's own; the callbacks hold the same class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self, Unpack

from lightning_carbon.metering.engine import Engine
from lightning_carbon.settings import SETTINGS, MeterConfig, Settings, configure
from lightning_carbon.settings.checks import Devices
from lightning_carbon.settings.signatures import takes
from lightning_carbon.values import replace
from lightning_carbon.wiring import assemble, watched_model

if TYPE_CHECKING:
    from lightning_carbon.metering.adapters import MeteredSubject
    from lightning_carbon.ranks import Ranks


@takes(*SETTINGS)
class Meter(Engine):
    """Meters the energy of any loop.

    What people ask (which region and PUE, several processes, padding, watts that differ from nvidia-smi's, why a
    processor is modelled) is answered in docs/questions.md.

    Example:
        >>> from lightning_carbon import Meter
        >>> with Meter(region="SE", project="lisa") as meter:
        ...     with meter.phase("train"):
        ...         for _ in range(3):
        ...             meter.step_done(samples=32, tokens=32 * 128)
        >>> meter.record.steps
        3

    Phases may have any name, such as ``"rollout"``. With ``detail="step"``, :meth:`part` and :meth:`enter_part` mark
    the parts of a phase.

    Args:
        settings: Those of the table in :mod:`lightning_carbon.settings`, by name.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        super().__init__(configure(**settings), assemble)

    @classmethod
    def of(
        cls,
        config: MeterConfig,
        *,
        devices: Devices | None = None,
        ranks: Ranks | None = None,
        computes_on: object = None,
        subject: MeteredSubject | None = None,
    ) -> Self:
        """A meter of a checked configuration, for integrations.

        Args:
            config: What the user set.
            devices: The accelerators that the trainer computes on; used where the user left ``devices`` at ``"auto"``.
            ranks: The place of this process in the run, by the trainer; default: by the launcher.
            computes_on: The torch device whose clock tells when steps end; default: the device that torch has started.
            subject: What is metered, where that is not this program.
        """
        if devices is not None and config.devices == "auto":
            config = replace(config, devices=devices)
        meter = cls.__new__(cls)
        Engine.__init__(meter, config, partial(assemble, ranks=ranks, computes_on=computes_on, subject=subject))
        return meter

    def watch_modules(self, model: object, *, called: bool = True) -> None:
        """Divide the energy of steps by the modules of a model, forward and backward, from now on.

        Only with ``detail="module"``; else it does nothing. Sampled steps alone have hooks; a compiled module counts as
        a whole. In a loop of your own, ``meter.part("optimizer")`` marks what the optimizer takes.

        Args:
            model: A model of torch, as it is trained: wrapped and compiled, if it is. Of several, the last counts.
            called: Whether the loop calls the model itself; false where it calls a method of it.

        Raises:
            UsageError: The meter was never started.
            ConfigError: It is no model of torch.
        """
        run = self._started("modules")
        if self._config.detail == "module" and self._running is not None:
            run.modules.watch(watched_model(model, called=called))


def join(run: str, **settings: Unpack[Settings]) -> Meter:
    """A meter for a process that is a part of a run which others began, such as a server of rollouts.

    What the process uses is in the record of that run, under its role, whenever the process begins and ends. It waits
    for nobody: where the run is not there yet, what was used before counts once it is.

    Example:
        >>> import lightning_carbon
        >>> with lightning_carbon.Meter(project="grpo", run_name="step-1") as trainer:
        ...     with lightning_carbon.join("step-1", role="reward", project="grpo") as meter:
        ...         meter.count(accepted=12)
        >>> meter.run_id == trainer.run_id
        True

    Args:
        run: The id of the run, or its name.
        settings: Those of :class:`Meter`, by name: ``role`` says what the process does for the run, such as
            ``"rollout"`` or ``"reward"``, and the ledger must be that of the run.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """
    settings["join"] = run
    return Meter(**settings)

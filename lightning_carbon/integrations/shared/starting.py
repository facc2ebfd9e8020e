"""Starting a meter for a trainer, where only a user's mistake may keep a training from beginning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lightning_carbon.energy.phases import Phase
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.shared.guard import logger
from lightning_carbon.meter import Meter
from lightning_carbon.ranks import Ranks
from lightning_carbon.settings import MeterConfig
from lightning_carbon.settings.checks import Devices
from lightning_carbon.sources.torch_devices import device_uuids
from lightning_carbon.values import replace

MeterT = TypeVar("MeterT", bound=Meter)


def start_meter(
    config: MeterConfig, devices_of_trainer: Callable[[], Sequence[Any]], phase: Phase, *, ranks: Ranks
) -> Meter | None:
    """Start a meter for the devices of a trainer, which is asked to stop where a budget is used up.

    Args:
        config: The settings, checked.
        devices_of_trainer: As in :func:`start_meter_of`.
        phase: The phase that the run begins in.
        ranks: The place of this process in the run.

    Returns:
        The meter, running; ``None`` where a defect kept it from starting, with a warning.

    Raises:
        ConfigError: ``devices`` names a device that is not there.
        LedgerError: With ``strict=True`` only: the ledger cannot be written.
    """
    return start_meter_of(Meter, replace(config, on_budget="warn"), devices_of_trainer, phase=phase, ranks=ranks)


def start_meter_of(
    kind: type[MeterT],
    config: MeterConfig,
    devices_of_trainer: Callable[[], Sequence[Any]],
    *,
    phase: Phase,
    ranks: Ranks,
) -> MeterT | None:
    """Start a meter of some class for the devices of a trainer.

    Args:
        kind: The class.
        config: The settings, checked.
        devices_of_trainer: Gives the torch devices that the trainer computes on. The clock of the first times the ends
            of steps, and their GPUs are metered where the user left ``devices`` at ``"auto"``.
        phase: The phase that the run begins in.
        ranks: The place of this process in the run; the first process of a host also meters its processors and memory.

    Returns:
        The meter, running; ``None`` where a defect kept it from starting, with a warning.

    Raises:
        ConfigError: ``devices`` names a device that is not there.
        LedgerError: With ``strict=True`` only: the ledger cannot be written.
    """
    devices: Devices | None = None
    computes_on = None
    try:
        named = devices_of_trainer()
        devices = device_uuids(named)
        computes_on = named[0] if named else None
    except Exception:  # noqa: BLE001 - asking torch must not end a training
        logger.warning("cannot tell which GPUs the trainer uses; taking those that are visible", exc_info=True)
    try:
        try:
            return kind.of(config, devices=devices, ranks=ranks, computes_on=computes_on).start(phase)
        except ConfigError as error:
            if error.argument != "devices" or config.devices != "auto":
                raise
            logger.warning("no GPU is metered: the trainer's cannot be found (%s)", error)
            return kind.of(config, devices=(), ranks=ranks, computes_on=computes_on).start(phase)
    except (ConfigError, LedgerError):
        raise
    except Exception:  # noqa: BLE001 - see above
        logger.warning("metering could not start; the training goes on without", exc_info=True)
        return None

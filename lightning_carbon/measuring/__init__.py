"""The study's method on this machine: start a training, follow its own metering, end it, and measure its power.

``measure("configs/transformer_small.yaml", minutes=10).measurement.settling.watts`` is the measured power.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lightning_carbon.errors import ConfigError, StudyError
from lightning_carbon.ledger.files import write_json
from lightning_carbon.measuring.child import Child
from lightning_carbon.measuring.configuration import Subject, subject_of
from lightning_carbon.measuring.following import MEASUREMENT_FILE, FollowedRun, Follower
from lightning_carbon.measuring.pricing import published_model_of
from lightning_carbon.measuring.secrets import without_secrets
from lightning_carbon.settings import LEDGER, writable_ledger
from lightning_carbon.study.measured.from_journals import Label, measure_journals
from lightning_carbon.study.measured.measurement import Measurement, to_mapping
from lightning_carbon.study.measured.projection import training_hours
from lightning_carbon.study.measured.table import signed
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.units import SECONDS_PER_MINUTE
from lightning_carbon.values import dataclass, replace

AUTOMATIC_VARIABLE: Final = "LIGHTNING_CARBON"
SETUP_MINUTES: Final = 10.0
"""The default time, in minutes, that a program may take until it trains."""
_OWN: Final = 0o600
"""A command is its user's business."""
_LOOK_SECONDS: Final = 0.5
"""The interval at which journals are written."""

_ADD_THE_METER: Final = (
    "it meters itself: add callbacks=[CarbonCallback()] to the Lightning Trainer, callbacks=[CarbonTrainerCallback()] "
    "to the Hugging Face Trainer, or Meter() to a loop of your own, without a ledger of its own"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a measurement.

    Args:
        seconds: How long the program has run.
        training_seconds: How long it has trained; 0 until training has been metered.
        of_seconds: How long it should train.
        watts: The mean power of the last seconds; ``None`` until it is known.
        steps: The number of steps that have ended.
    """

    seconds: float
    training_seconds: float
    of_seconds: float
    watts: float | None
    steps: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement with its location.

    Args:
        measurement: The measurement.
        location: Its file, beside the run's record.
    """

    measurement: Measurement
    location: Path


def measure(  # noqa: PLR0913 - one for each option of the command
    config: os.PathLike[str] | str | None,
    *,
    minutes: float = 10.0,
    command: Sequence[str] = (),
    warmup_seconds: float | None = None,
    name: str | None = None,
    published: str | None = None,
    ledger: os.PathLike[str] | str | None = None,
    length: TrainingLength | None = None,
    setup_minutes: float = SETUP_MINUTES,
    on_progress: Callable[[Progress], None] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Measured:
    """Train a model for some minutes and measure its power.

    The program is started as a child of the present interpreter; it meters itself into the ledger, and ends by itself
    or is ended. The measurement is written beside the run's record, or not at all.

    Args:
        config: The YAML of a training, with a ``study:`` block (:mod:`~lightning_carbon.measuring.configuration`).
        minutes: How long it should train, from its first step on.
        command: A program and its arguments, instead of those in the file.
        warmup_seconds: The end of the warm-up, which is found by default. With a given end, unsettled power is also
            accepted.
        name: The name of the model; by default that in the file.
        published: The matching row of the study; by default that in the file.
        ledger: The folder of all runs. Default ``LIGHTNING_CARBON_LEDGER``, else the user's data folder.
        length: The length of the training that its row is projected to, as far as that can be checked before.
        setup_minutes: How long the program may take before it trains.
        on_progress: Called twice a second with the progress.
        environ: The environment of the program.

    Raises:
        ConfigError: An argument cannot be used; nothing was started.
        StudyError: The program failed, never metered itself, or was too short; nothing was written.
        LedgerError: The ledger cannot be written.
    """
    seconds = _seconds("minutes", minutes)
    patience = _seconds("setup_minutes", setup_minutes)
    if warmup_seconds is not None and not 0 <= warmup_seconds < seconds:
        raise ConfigError("warmup_seconds", warmup_seconds, "give seconds from 0, fewer than are trained.")
    subject = subject_of(None if config is None else Path(config), tuple(command))
    folder = writable_ledger(ledger, environ)
    told = without_secrets(subject.command)
    label = Label(name or subject.name, published or subject.published, told, subject.steps_per_epoch)
    run = _train(subject, folder, seconds, patience=patience, on_progress=on_progress, environ=environ)
    measurement = measure_journals(run.journals, label, warmup_seconds=warmup_seconds)
    if not measurement.settling.settled and warmup_seconds is None:
        raise StudyError(_unsettled(measurement, seconds))
    if length is not None:
        # An impossible length is no reason to lose minutes of measuring.
        with suppress(ConfigError):
            training_hours(measurement, length, published_model_of(measurement))
            measurement = replace(measurement, extent=length)
    location = run.folder / MEASUREMENT_FILE
    write_json(location, to_mapping(measurement), mode=_OWN)
    return Measured(measurement, location)


def _train(
    subject: Subject,
    ledger: Path,
    seconds: float,
    *,
    patience: float,
    on_progress: Callable[[Progress], None] | None,
    environ: Mapping[str, str],
) -> FollowedRun:
    """Train, and follow the training to its end."""
    begun = time.monotonic()
    # Trainers of Lightning then meter themselves without a line of code, unless the user has decided otherwise.
    world = {AUTOMATIC_VARIABLE: "1", **environ, LEDGER.variable: str(ledger)}
    with Child(subject.command, world) as child:
        follower = Follower(ledger, child.owns)
        while child.exit_code is None:
            child.wait(_LOOK_SECONDS)
            follower.read()
            run = follower.longest
            trained = run.seconds if run is not None else 0.0
            if on_progress is not None:
                on_progress(_progress(time.monotonic() - begun, seconds, run))
            if trained >= seconds:
                break
            if not trained and time.monotonic() - begun > patience:
                message = (
                    f"after {patience / SECONDS_PER_MINUTE:g} min the program has metered no training; see to it that "
                    f"{_ADD_THE_METER}; where it only takes long to begin, give it more --setup-minutes"
                )
                raise StudyError(message)
        code = child.exit_code
        child.end()
        failure = child.failure() if code else None  # ending a program is no failure of it
    if failure is not None:
        raise StudyError(failure)
    run = follower.longest
    if run is None:
        message = f"the program has ended and metered nothing; see to it that {_ADD_THE_METER}"
        raise StudyError(message)
    return run


def _progress(elapsed: float, seconds: float, run: FollowedRun | None) -> Progress:
    if run is None:
        return Progress(elapsed, 0.0, seconds, None, 0)
    return Progress(elapsed, run.seconds, seconds, run.watts, run.steps)


def _seconds(argument: str, minutes: object) -> float:
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < float("inf"):
        raise ConfigError(argument, minutes, "give minutes, more than 0.")
    return float(minutes) * SECONDS_PER_MINUTE


def _unsettled(measurement: Measurement, asked: float) -> str:
    settling, trained = measurement.settling, measurement.training_seconds
    if trained < asked - _LOOK_SECONDS:
        longer = "the program ended by itself, so let it train longer"
    else:
        longer = f"measure longer (--minutes {2 * asked / SECONDS_PER_MINUTE:g})"
    share = settling.drift_percent_per_minute
    return (
        f"power has not settled in {trained:.0f} s of training: after a warm-up of {settling.warmup_seconds:.0f} s it "
        f"still drifts by {signed(settling.drift_watts_per_minute)} W a minute"
        + (f" ({signed(share)} %)" if share is not None else "")
        + f" around {settling.watts:.4g} W; {longer}, or say where the warm-up ends and take the average as it is "
        "(--warmup-seconds)"
    )

"""From measured power and speed to the row of a whole training, as the study makes its rows. Pure.

Energy is mean power after warm-up times hours, times the PUE; CO2e is that times the carbon intensity. The assumptions
on the way stand under the row, a sentence each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.errors import ConfigError
from lightning_carbon.study.arithmetic import energy_of, figures_of, range_of
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.study.rows import StudyRow
from lightning_carbon.units import NANOSECONDS_PER_SECOND, SECONDS_PER_HOUR, Energy, Power

if TYPE_CHECKING:
    from lightning_carbon.estimate.prices import CloudPrice
    from lightning_carbon.study.measured.measurement import DomainPower, Measurement
    from lightning_carbon.study.method import Method
    from lightning_carbon.study.published.study import PublishedModel

GPU: Final = "gpu"
_LEEWAY: Final = 1.05
UNKNOWN_EPOCH: Final = (
    "how many steps an epoch has is not known: the trainer does not tell; say so as `steps_per_epoch` in the `study:` "
    "block, or give --steps."
)

NO_ACCELERATOR: Final = "CPU"
"""The hardware of a row without an accelerator."""


def project(
    measurement: Measurement,
    method: Method,
    length: TrainingLength | None = None,
    *,
    published: PublishedModel | None = None,
    price: CloudPrice | None = None,
) -> StudyRow:
    """The row of a whole training.

    Args:
        measurement: What was measured.
        method: What it is priced with.
        length: The length of the training; by default that of the published training, else as measured.
        published: The matching row of the study, if any.
        price: The price of an accelerator for an hour in a cloud; ``None`` where it is not known.

    Raises:
        ConfigError: More accelerators are asked for, and none was measured; steps or epochs are asked for, and the
            speed is not known; or the training is shorter than what was measured of it.
    """
    length = length or TrainingLength()
    measured = measurement.accelerators
    hours, notes = training_hours(measurement, length, published)
    count = length.count or measured
    factor = count / measured if measured else 1.0
    if factor != 1.0:
        notes.append(
            f"{measurement.name}: projected from {measured} to {count} accelerators, each at the measured power; "
            "processors and memory are counted once, as measured, which is the study's formula."
        )
    scaled = [
        (domain, (domain.watts or 0.0) * (factor if domain.kind == GPU else 1.0)) for domain in measurement.counted
    ]
    energy = Bounds.exactly(Energy.ZERO)
    for domain, watts in scaled:
        energy += _bounds(domain, energy_of(Power(watts), hours), hours)
    known = energy if scaled else None
    return StudyRow(
        id=measurement.run_id,
        name=measurement.name,
        hardware=hardware(measurement, count),
        hours=hours,
        power_watts=sum(watts for _, watts in scaled) if scaled else None,
        computed=figures_of(known, method, accelerator_hours=hours * count, price=price if count else None),
        provenance=provenance([domain for domain, _ in scaled]) or None,
        range=None if known is None else range_of(known, method),
        notes=tuple(notes),
    )


def _bounds(domain: DomainPower, energy: Energy, hours: float) -> Bounds[Energy]:
    """The range of a projected energy, by what the sensor of its power was off."""
    nanoseconds = round(hours * SECONDS_PER_HOUR * NANOSECONDS_PER_SECOND)
    low, high = domain.range.ends(energy.microjoules, nanoseconds)
    return Bounds(energy, Energy(low), Energy(high))


def hardware(measurement: Measurement, count: int) -> str:
    """The hardware of a row, with its count."""
    names = dict.fromkeys(short_name(gpu.name) for gpu in measurement.of_kind(GPU))
    return f"{' + '.join(names)} x{count}" if names else NO_ACCELERATOR


def short_name(name: str) -> str:
    """The name of an accelerator without its vendor, as in the study."""
    return name.removeprefix("NVIDIA ").removeprefix("Tesla ")


def provenance(domains: list[DomainPower]) -> str:
    """How the power came about, the largest part first, such as ``"counter + modelled"``."""
    watts: dict[str, float] = {}
    for domain in domains:
        watts[domain.provenance] = watts.get(domain.provenance, 0.0) + (domain.watts or 0.0)
    return " + ".join(sorted(watts, key=lambda name: -watts[name]))


def training_hours(
    measurement: Measurement, length: TrainingLength, published: PublishedModel | None = None
) -> tuple[float, list[str]]:
    """The duration of the whole training.

    Args:
        measurement: What was measured.
        length: The length that was asked for.
        published: The matching row of the study.

    Returns:
        The hours, and a note on them.

    Raises:
        ConfigError: As for :func:`project`.
    """
    name, speed = measurement.name, measurement.speed
    if length.count is not None and not measurement.accelerators:
        raise ConfigError("count", length.count, "no accelerator was measured, so there is none to take more of.")
    if length.hours is not None:
        return _long_enough(measurement, "hours", length.hours, hours=length.hours), []
    if length.steps is not None:
        rate = _rate(measurement, "steps", length.steps)
        hours = length.steps / rate / SECONDS_PER_HOUR
        said = f"{name}: {length.steps:,.10g} steps at the measured {rate:.4g} steps a second."
        return _long_enough(measurement, "steps", length.steps, hours=hours), [said]
    if length.epochs is not None:
        if speed.steps_per_epoch is None:
            raise ConfigError("epochs", length.epochs, UNKNOWN_EPOCH)
        rate = _rate(measurement, "epochs", length.epochs)
        # Each further accelerator takes its share of an epoch.
        factor = 1.0 if length.count is None else length.count / measurement.accelerators
        hours = length.epochs * speed.steps_per_epoch / factor / rate / SECONDS_PER_HOUR
        said = f"{length.epochs:,.10g} epochs of {speed.steps_per_epoch:,.10g} steps at the measured {rate:.4g} steps/s"
        shared = "" if factor == 1.0 else ", each accelerator with an equal share of them"
        return _long_enough(measurement, "epochs", length.epochs, hours=hours), [f"{name}: {said}{shared}."]
    seconds = measurement.training_seconds
    if published is not None and published.hours * _LEEWAY >= seconds / SECONDS_PER_HOUR:
        said = (
            f"{name}: for the {published.hours:,.10g} hours that the study's {published.name} took on "
            f"{published.hardware}. Other hardware takes another time for the same training, which --steps and "
            "--epochs tell."
        )
        return published.hours, [said]
    return seconds / SECONDS_PER_HOUR, [f"{name}: for the {seconds:,.0f} s that it trained; nothing is projected."]


def _long_enough(measurement: Measurement, argument: str, value: float, *, hours: float) -> float:
    measured = measurement.training_seconds / SECONDS_PER_HOUR
    # A training runs a little longer than asked for, since journals are read at intervals.
    if hours * _LEEWAY < measured:
        fix = f"that is {hours:.3g} h, less than the {measured:.3g} h that {measurement.name} was measured; give more."
        raise ConfigError(argument, value, fix)
    return hours


def _rate(measurement: Measurement, argument: str, value: float) -> float:
    rate = measurement.speed.steps_per_second
    if rate is None:
        fix = "no step was counted, so the speed is not known; give --hours, or a program that tells its steps."
        raise ConfigError(argument, value, fix)
    return rate

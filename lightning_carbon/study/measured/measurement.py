"""A measured model: its power by component after warm-up, whether that has settled, and its speed. Pure."""

from __future__ import annotations

from typing import Any, Final

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.energy.accuracy import Accuracy, either_way
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ConfigError
from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import (
    MOMENT,
    NAME,
    PROCESS,
    RATIO,
    Misfit,
    check_schema,
    mapping,
    one_of,
    plain,
    read,
    reading,
)
from lightning_carbon.study.measured.settling import Settling
from lightning_carbon.study.measured.training_length import TrainingLength
from lightning_carbon.values import dataclass, field

MEASUREMENT_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class DomainPower:
    """The mean power of a domain after warm-up.

    Args:
        id: Unique in the run.
        kind: The kind of hardware: ``gpu``, ``package``, ``dram``, ``psys`` or ``host``.
        name: For people.
        watts: Its mean power over the time that readings cover; ``None`` where they cover none.
        provenance: How the number came about: counter, integrated or modelled.
        uncertainty_ratio: The half width of its range, as a share.
        coverage_ratio: The share of the averaged time that readings cover.
        method: The call or the model behind it.
        counted: Whether totals count it, as no other domain includes it.
        accuracy: The range, where more is known of it than a half width.
    """

    id: str
    kind: str
    name: str
    watts: float | None
    provenance: str = field(metadata=one_of(Provenance))
    uncertainty_ratio: float
    coverage_ratio: float = field(metadata=RATIO)
    method: str
    counted: bool
    accuracy: Accuracy | None = None

    @property
    def range(self) -> Accuracy:
        """The range around its power."""
        return either_way(self.uncertainty_ratio) if self.accuracy is None else self.accuracy


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed after warm-up; figures that the program did not give are ``None``.

    Args:
        steps: The number of steps that the speed is from.
        steps_per_second: Steps of the optimizer; ``None`` where none ended.
        samples_per_second: Samples of all ranks together.
        tokens_per_second: Tokens of all ranks together.
        steps_per_epoch: The number of steps of an epoch.
    """

    steps: int
    steps_per_second: float | None = None
    samples_per_second: float | None = None
    tokens_per_second: float | None = None
    steps_per_epoch: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A model, measured on a machine.

    Args:
        schema: The version of this mapping.
        name: The name of the model.
        published: The matching row of the study; ``None`` where there is none.
        run_id: Its run in the ledger.
        project: The project of that run.
        measured_at: When the training began, ISO 8601, UTC.
        command: What was run, with asterisks in the place of what looks like a secret.
        training_seconds: How long the training was followed, warm-up included.
        settling: The mean power, and whether it has settled.
        domains: The mean power of every domain.
        speed: The speed of the training.
        world_size: The number of processes.
        host: The machine and the versions.
        absent: The hardware that could not be measured, and why.
        extent: The length of the training that the user asked for; ``None`` where none was given.
        intensity: The carbon intensity that the run was priced with; ``None`` in measurements that do not say.
        pue: The PUE that it was priced with; ``None`` in measurements that do not say.
    """

    schema: int
    name: str
    published: str | None
    run_id: str = field(metadata=NAME)
    project: str = field(metadata=NAME)
    measured_at: str = field(metadata=MOMENT)
    command: tuple[str, ...]
    training_seconds: float
    settling: Settling
    domains: tuple[DomainPower, ...]
    speed: Speed
    world_size: int = field(metadata=PROCESS)
    host: dict[str, str | int | None]
    absent: tuple[Finding, ...] = ()
    extent: TrainingLength | None = None
    intensity: Intensity | None = None
    pue: PowerUsage | None = None

    def of_kind(self, kind: str) -> list[DomainPower]:
        """The domains of a kind that have a power."""
        return [domain for domain in self.domains if domain.kind == kind and domain.watts is not None]

    @property
    def accelerators(self) -> int:
        """The number of measured GPUs."""
        return len(self.of_kind("gpu"))

    @property
    def counted(self) -> list[DomainPower]:
        """The domains that totals sum."""
        return [domain for domain in self.domains if domain.counted and domain.watts is not None]


def to_mapping(measurement: Measurement) -> dict[str, Any]:
    """A measurement as plain values (JSON types only)."""
    values: dict[str, Any] = plain(measurement)
    return values


def from_mapping(values: object) -> Measurement:
    """Read a measurement; unknown keys are ignored.

    Args:
        values: The result of :func:`to_mapping` of this or an earlier version; not trusted.

    Raises:
        RecordError: It is no measurement, or has a newer schema.
    """
    with reading("a measurement"):
        check_schema(mapping(values), MEASUREMENT_SCHEMA, "the measurement")
        try:
            return read(Measurement, values)
        except ConfigError as error:
            raise Misfit(f"has {error}", "extent") from error

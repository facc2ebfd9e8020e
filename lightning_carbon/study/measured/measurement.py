"""A model as measured: power by component after warm-up, whether it has settled, and how fast it trained. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

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

MEASUREMENT_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class DomainPower:
    """The mean power of one domain after warm-up.

    Args:
        id: Unique in the run.
        kind: What sort of hardware it is: ``gpu``, ``package``, ``dram``, ``psys`` or ``host``.
        name: For people.
        watts: Its mean power over the time that readings cover; ``None`` where they cover none.
        provenance: How the number came about: counter, integrated or modelled.
        uncertainty_ratio: The half width of its range, as a share.
        coverage_ratio: The share of the averaged time that readings cover.
        method: The call or the model behind it.
        counted: Whether totals count it; no other domain includes it then.
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
    """How fast it trained after warm-up; what the program did not tell is ``None``.

    Args:
        steps: How many steps that is from.
        steps_per_second: Steps of the optimizer; ``None`` where none ended.
        samples_per_second: Of all ranks together.
        tokens_per_second: Of all ranks together.
        steps_per_epoch: How many steps an epoch has.
    """

    steps: int
    steps_per_second: float | None = None
    samples_per_second: float | None = None
    tokens_per_second: float | None = None
    steps_per_epoch: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One model, measured on one machine.

    Args:
        schema: The version of this mapping.
        name: What the model is called.
        published: The row of the study that it answers; ``None`` where it answers none.
        run_id: The run in the ledger that it is from.
        project: What that run belongs to.
        measured_at: When the training began, ISO 8601, UTC.
        command: What was run, with asterisks in the place of what looks like a secret.
        training_seconds: How long the training was followed, warm-up included.
        settling: What became of power.
        domains: The mean power of every domain.
        speed: How fast it trained.
        world_size: How many processes trained.
        host: The machine and the versions.
        absent: What could not be measured, and why.
        extent: How much of the training was asked for; ``None`` where nobody said.
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

    def of_kind(self, kind: str) -> list[DomainPower]:
        """The domains of one kind that have a power."""
        return [domain for domain in self.domains if domain.kind == kind and domain.watts is not None]

    @property
    def accelerators(self) -> int:
        """How many GPUs were measured."""
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
    """Read a measurement; keys that this version does not know are ignored.

    Args:
        values: What :func:`to_mapping` wrote, now or in an earlier version; it may come from anybody.

    Raises:
        RecordError: It is no measurement, or one of a newer schema.
    """
    with reading("a measurement"):
        check_schema(mapping(values), MEASUREMENT_SCHEMA, "the measurement")
        try:
            return read(Measurement, values)
        except ConfigError as error:
            raise Misfit(f"has {error}", "extent") from error

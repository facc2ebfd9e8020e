"""Measurements that tests of projections and tables share."""

from __future__ import annotations

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.ports import Finding
from lightning_carbon.study.measured.measurement import MEASUREMENT_SCHEMA, DomainPower, Measurement, Speed
from lightning_carbon.study.measured.settling import Settling
from lightning_carbon.study.method import CURRENT, Method


def power(identity: str, watts: float | None, *, counted: bool = True, uncertainty: float = 0.05) -> DomainPower:
    """The power of a domain, whose kind its id begins with; packages are modelled."""
    kind = identity.split(":", maxsplit=1)[0]
    name = "NVIDIA Tesla P100-SXM2-16GB" if kind == "gpu" else identity
    provenance = "modelled" if kind == "package" else "counter"
    return DomainPower(identity, kind, name, watts, provenance, uncertainty, 1.0, "", counted)


def measured(
    *domains: DomainPower,
    published: str | None = None,
    seconds: float = 600.0,
    speed: Speed | None = None,
    run_id: str = "20261122T080000Z-0001",
    name: str = "Toy",
    settled: bool = True,
) -> Measurement:
    """A measurement of these domains."""
    watts = sum(domain.watts or 0.0 for domain in domains if domain.counted)
    return Measurement(
        schema=MEASUREMENT_SCHEMA,
        name=name,
        published=published,
        run_id=run_id,
        project="lisa",
        measured_at="2026-11-22T08:00:00.000Z",
        command=("python", "train.py"),
        training_seconds=seconds,
        settling=Settling(60.0, seconds - 60.0, watts, 1.0, 0.12, 0.05, settled),
        domains=domains,
        speed=speed or Speed(5_400, 10.0, 640.0, 81_920.0, 1_000.0),
        world_size=1,
        host={"name": "node-7"},
        absent=(Finding("rapl", "package 0", reason="only root may read it", fix="sudo chmod"),),
    )


def method(grams: float = 100.0, pue: float = 1.0, spread: float = 0.0) -> Method:
    """Factors that are easy to reckon with."""
    return Method(
        name=CURRENT,
        pue=PowerUsage(pue, pue, pue, "given", assumed=False),
        intensity=Intensity(
            grams,
            grams * (1 - spread),
            grams * (1 + spread),
            "given",
            None,
            "as given",
            "custom",
            assumed=False,
        ),
        electricity=None,
        cloud={},
    )

"""The hardware of a run, from its record. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.energy.roots import DomainUse, roots_of
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.records.run import DomainRecord, RunRecord


def hardware_of(record: RunRecord) -> str:
    """The hardware of a run: its GPUs by model, else its processors, such as ``2 x NVIDIA A100-SXM4-40GB``."""
    domains = record.energy.domains
    chosen = [domain for domain in domains if domain.kind == Kind.GPU] or [
        domain for domain in domains if domain.kind == Kind.PACKAGE
    ]
    counts = Counter(domain.name for domain in chosen or outer_domains(domains))
    return " + ".join(f"{count} x {name}" if count > 1 else name for name, count in sorted(counts.items()))


def outer_domains(domains: Iterable[DomainRecord]) -> list[DomainRecord]:
    """The domains that the total of a record sums; see :mod:`lightning_carbon.energy.roots`."""
    every = list(domains)
    uses = [
        DomainUse(
            domain.id,
            domain.parent,
            domain.provenance != Provenance.MODELLED,
            Energy.from_joules(domain.joules).microjoules,
        )
        for domain in every
    ]
    return [every[place] for place in roots_of(uses).places]

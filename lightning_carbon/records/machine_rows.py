"""What a summary says of the machines of a run: rows for the rest of them and for their plugs, and what was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.records.numbers import ENERGY, POWER, amount, likely, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.records.machine_record import MachineRecord


def machine_rows(machine: MachineRecord, seconds: float) -> Iterator[tuple[str, ...]]:
    """The rest of the machines and the machines at their plugs, as rows of the table of domains.

    Args:
        machine: The machines of a run.
        seconds: How long it lasted.
    """
    measured = {host.provenance != Provenance.MODELLED for host in machine.hosts}
    how = "measured in part" if len(measured) > 1 else "measured" if True in measured else "modelled"
    rest = span(machine.rest_low_joules, machine.rest_high_joules, ENERGY, like=machine.rest_joules)
    whole = likely(machine.interval, ENERGY, like=machine.joules) or span(
        machine.low_joules, machine.high_joules, ENERGY, like=machine.joules
    )
    yield _row("rest", f"of the machine, {how}", machine.rest_joules, seconds=seconds, how=rest)
    yield _row("machine", "at its plug", machine.joules, seconds=seconds, how=whole)


def rests_assumed(machine: MachineRecord | None) -> Iterator[str]:
    """What was modelled of the rest of each machine, and what it follows from.

    Args:
        machine: The machines of a run; ``None`` where only the chips are known.
    """
    for host in () if machine is None else machine.hosts:
        if host.model is not None and host.provenance == Provenance.MODELLED:
            hint = f" ({host.model.reason}); give machine=" if host.model.assumed else ""
            yield f"modelled: rest of {host.host}: {host.method}{hint}"


def _row(name: str, what: str, joules: float, *, seconds: float, how: str) -> tuple[str, ...]:
    power = amount(joules / seconds, POWER) if seconds > 0 else ""
    return (f"  {name}", what, amount(joules, ENERGY), "", power, "", how)

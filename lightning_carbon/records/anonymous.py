"""Records without the names of machines, for copies that may be published with a model."""

from __future__ import annotations

from lightning_carbon.records.run import RunRecord
from lightning_carbon.values import replace


def anonymous(record: RunRecord) -> RunRecord:
    """A record whose hosts and devices have numbers for names; the name of the run stays.

    Args:
        record: The record.
    """
    hosts = dict.fromkeys([str(record.host.get("name")), *(rank.host for rank in record.ranks)])
    host_names = {host: f"host {number}" for number, host in enumerate(hosts)}
    ids = {domain.id: f"{domain.kind}:{number}" for number, domain in enumerate(record.energy.domains)}
    domains = tuple(
        replace(domain, id=ids[domain.id], parent=ids.get(domain.parent or "")) for domain in record.energy.domains
    )
    ranks = tuple(
        replace(rank, host=host_names[rank.host], devices=[ids[device] for device in rank.devices if device in ids])
        for rank in record.ranks
    )
    host = {name: host_names[str(value)] if name == "name" else value for name, value in record.host.items()}
    machine = record.machine
    if machine is not None:
        hidden = tuple(replace(plug, host=host_names.get(plug.host, "host")) for plug in machine.hosts)
        machine = replace(machine, hosts=hidden)
    energy = replace(record.energy, domains=domains)
    # The command of a process may name a person.
    return replace(record, host=host, energy=energy, ranks=ranks, machine=machine, subject=None)

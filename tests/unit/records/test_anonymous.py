"""Copies of records that may be published."""

from __future__ import annotations

import json
from dataclasses import replace

from lightning_carbon.records.anonymous import anonymous
from lightning_carbon.records.mapping import from_mapping, to_mapping
from tests.unit.records.samples import FULL


def test_a_copy_names_no_machine_and_no_device() -> None:
    """Hosts and devices have numbers; each domain is still credited to its rank, and hangs below its parent."""
    copy = anonymous(FULL)
    text = json.dumps(to_mapping(copy))
    named = {str(FULL.host["name"]), *(rank.host for rank in FULL.ranks), *(part.id for part in FULL.energy.domains)}

    assert [] == [name for name in named if f'"{name}"' in text]
    assert len({rank.host for rank in FULL.ranks}) == len({rank.host for rank in copy.ranks})
    assert [len(rank.devices) for rank in FULL.ranks] == [len(rank.devices) for rank in copy.ranks]
    known = {domain.id for domain in copy.energy.domains}
    assert {domain.parent for domain in copy.energy.domains} <= known | {None}


def test_a_copy_tells_all_else() -> None:
    """Energy, carbon and what the user called the run are as in the ledger."""
    copy = anonymous(FULL)
    domains = [replace(domain, id="", parent=None) for domain in FULL.energy.domains]

    assert from_mapping(to_mapping(copy)) == replace(copy, location=None)
    assert (FULL.run_id, FULL.project, FULL.run_name) == (copy.run_id, copy.project, copy.run_name)
    assert (FULL.carbon, FULL.energy.phases) == (copy.carbon, copy.energy.phases)
    assert domains == [replace(domain, id="", parent=None) for domain in copy.energy.domains]

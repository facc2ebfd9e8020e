"""What a sensor can say."""

from __future__ import annotations

from lightning_carbon.energy.readings import Provenance


def test_only_what_a_sensor_stands_behind_counts_as_measured() -> None:
    """Energy that was computed from utilisation is never taken for a measurement."""
    measured = {provenance for provenance in Provenance if provenance.is_measured}

    assert measured == {Provenance.COUNTER, Provenance.INTEGRATED}

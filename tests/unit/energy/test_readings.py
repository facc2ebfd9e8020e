"""What a sensor can say."""

from __future__ import annotations

from lightning_carbon.energy.readings import KIND_WORDS, Kind, Provenance, kind_word


def test_only_what_a_sensor_stands_behind_counts_as_measured() -> None:
    """Energy that was computed from utilisation is never taken for a measurement."""
    measured = {provenance for provenance in Provenance if provenance.is_measured}

    assert measured == {Provenance.COUNTER, Provenance.INTEGRATED}


def test_every_kind_of_hardware_has_a_word() -> None:
    """The words of the field, each for one kind; a kind of a later version keeps its own name."""
    assert set(Kind) == set(KIND_WORDS)
    assert len(KIND_WORDS) == len(set(KIND_WORDS.values()))
    assert ("GPU", "CPU", "memory") == (kind_word("gpu"), kind_word("package"), kind_word("dram"))
    assert "tpu" == kind_word("tpu")

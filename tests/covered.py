"""How much of a run its readings cover."""

from lightning_carbon import RunRecord


def covered_seconds(record: RunRecord) -> float:
    """The time of a run that its readings cover.

    An end waits 0.3 s at most for the last reading, which on a busy machine may not be taken by then.
    """
    return record.duration_seconds * record.energy.coverage_ratio

"""Dataclasses as plain values, and back."""

from __future__ import annotations

from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import known, plain

ABSENT = Finding("nvml", "all GPUs", reason="no driver", fix="install it")


def test_a_field_that_is_not_stored_is_neither_written_nor_read() -> None:
    """A finding's port is an object of this process, whatever a file says of it."""
    stored = plain({"absent": (ABSENT,)})

    assert {"absent": [{"source": "nvml", "subject": "all GPUs", "reason": "no driver", "fix": "install it"}]} == stored
    assert ABSENT == known(Finding, {**stored["absent"][0], "port": "anything"})

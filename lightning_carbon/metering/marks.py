"""The marks of a training, from the moment the program reaches them until they are attributed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lightning_carbon.energy.attribution import Mark, MarkFields
from lightning_carbon.records.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lightning_carbon.ports import StepClock

NotedMark = tuple[int, object, MarkFields]
"""A mark with its number and the ticket of the clock that tells when the device gets to it."""


def ready_marks(
    marks: deque[NotedMark], serial: int, cut_ns: int, *, clock: StepClock | None
) -> tuple[deque[Mark], int]:
    """The marks that can be attributed, and the moment up to which all of them are known.

    Args:
        marks: The marks; others may be added meanwhile.
        serial: The number of the last attributed mark.
        cut_ns: The moment up to which readings have settled.
        clock: The device's clock, where there is one.
    """
    ready = deque[Mark]()
    if marks and marks[0][2][0] > cut_ns:
        return ready, cut_ns  # no mark is before its stamp; spares most rows the copy
    for number, ticket, fields in marks.copy():
        if number <= serial:
            continue
        at_ns = fields[0] if clock is None else clock.resolve(ticket)
        if clock is not None and at_ns is None:
            # No further than the first mark that the device has not got to may turn out to be.
            return ready, min(cut_ns, clock.earliest(ticket))
        if at_ns is None or at_ns > cut_ns:
            break
        ready.append(Mark(at_ns, *fields[1:]))
    return ready, cut_ns


def steps_after(serial: int, marks: Iterable[NotedMark]) -> Totals:
    """The steps that have ended after the mark of a number."""
    totals = Totals()
    for number, _, (_, phase, samples, tokens, part, lap) in marks:
        if number > serial and phase is None and part is None and lap is None:
            totals = totals.plus(Totals(steps=1, samples=samples, tokens=tokens))
    return totals

"""From the journals of a training to its measurement. Pure.

Journals hold the energy of each rank so far, by phase, twice a second. Time here is that of training: where a program
marks its phases, energy of setting up, validating and saving is in no average.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.curve import EnergyCurve
from lightning_carbon.energy.phases import Phase
from lightning_carbon.errors import StudyError
from lightning_carbon.records.credits import credits_of
from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.merging import iso
from lightning_carbon.study.measured.measurement import MEASUREMENT_SCHEMA, DomainPower, Measurement, Speed
from lightning_carbon.study.measured.settling import block_count, settle
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lightning_carbon.records.credits import Credit
    from lightning_carbon.records.journal import Beat, Header

_TRAIN: Final = "train"
_OTHER: Final = "other"
_RECENT_BEATS: Final = 10
"""The number of beats for the present power, about five seconds' worth."""


class RankJournal(NamedTuple):
    """The journal of a rank.

    Args:
        header: Who it is.
        beats: Its beats, in their order; at least one.
    """

    header: Header
    beats: Sequence[Beat]


class Label(NamedTuple):
    """The facts about a measurement that journals do not hold.

    Args:
        name: The name of the model.
        published: The matching row of the study, or ``None``.
        command: What was run, without secrets.
        steps_per_epoch: The number of steps of an epoch, where the user knows better than the trainer.
    """

    name: str
    published: str | None = None
    command: tuple[str, ...] = ()
    steps_per_epoch: float | None = None


def training_phases(beats: Sequence[Beat]) -> frozenset[str]:
    """The phases that are training: ``train`` where a program marks it, else all that it does not mark.

    Those that have names of the program's own, such as ``rollout``, are also in it, as they are in its steps.
    """
    names = frozenset(name for beat in beats for name in beat.phases)
    return (names - frozenset(Phase)) | {_TRAIN if _TRAIN in names else _OTHER}


def training_seconds(beat: Beat) -> float:
    """How long a rank has trained so far."""
    phases = training_phases([beat])
    return sum(usage.ns for name, usage in beat.phases.items() if name in phases) / NANOSECONDS_PER_SECOND


def watts_now(journals: Sequence[RankJournal]) -> float | None:
    """The mean power of everything metered over the last seconds of training; ``None`` until it is known."""
    recent = [RankJournal(journal.header, journal.beats[-_RECENT_BEATS:]) for journal in journals]
    phases = training_phases([journal.beats[-1] for journal in recent])
    tracks = {journal.header.rank: _RankCurves(journal, phases) for journal in recent}
    watts = 0.0
    found = False
    for credit in credits_of([RankPart(journal.header, journal.beats[-1]) for journal in recent]):
        track = tracks[credit.part.header.rank]
        since_ns, until_ns = track.times_ns[0], track.end_ns
        if credit.is_root and until_ns > since_ns:
            curve = track.energy[credit.place]
            watts += Energy(curve.height(until_ns) - curve.height(since_ns)).over(until_ns - since_ns).watts
            found = True
    return watts if found else None


def measure_journals(
    journals: Sequence[RankJournal], label: Label, *, warmup_seconds: float | None = None
) -> Measurement:
    """Measure a model by the journals of its training.

    Args:
        journals: The journals of all ranks, at least one.
        label: The facts that they do not hold.
        warmup_seconds: The end of the warm-up, where the user gives it.

    Raises:
        StudyError: The training is too short, or nothing of it could be metered.
    """
    ranks = sorted(journals, key=lambda journal: journal.header.rank)
    phases = training_phases([journal.beats[-1] for journal in ranks])
    tracks = {journal.header.rank: _RankCurves(journal, phases) for journal in ranks}
    hardware = credits_of([RankPart(journal.header, journal.beats[-1]) for journal in ranks])
    if not hardware:
        message = "nothing of the training could be metered on this machine; `lightning-carbon doctor` says why"
        raise StudyError(message)
    # Ranks train in step, and the rank with the oldest beat limits how far all of them are known.
    end_ns = min(track.end_ns for track in tracks.values())
    if not end_ns:
        message = "the program was metered, and ended before it began to train"
        raise StudyError(message)
    seconds = end_ns / NANOSECONDS_PER_SECOND
    roots = [tracks[credit.part.header.rank].energy[credit.place] for credit in hardware if credit.is_root]
    given_ns = min(end_ns, round((warmup_seconds or 0.0) * NANOSECONDS_PER_SECOND))
    settling = settle(_blocks(roots, given_ns, end_ns), seconds, warmup_seconds=warmup_seconds)
    start_ns = end_ns - round(settling.averaged_seconds * NANOSECONDS_PER_SECOND)
    hosts = {journal.header.host_id: str(journal.header.host.get("name")) for journal in ranks}
    first = ranks[0].header
    domains = tuple(
        tracks[credit.part.header.rank].power(
            credit, start_ns, end_ns, prefix=f"{hosts[credit.part.header.host_id]}/" if len(hosts) > 1 else ""
        )
        for credit in hardware
    )
    if all(domain.watts is None for domain in domains if domain.counted):
        message = "no sensor could be read after the warm-up, so there is no power; `lightning-carbon doctor` says why"
        raise StudyError(message)
    return Measurement(
        schema=MEASUREMENT_SCHEMA,
        name=label.name,
        published=label.published,
        run_id=first.run_id,
        project=first.project,
        measured_at=iso(first.started_at),
        command=label.command,
        training_seconds=seconds,
        settling=settling,
        domains=domains,
        speed=_speed(
            [tracks[journal.header.rank] for journal in ranks],
            start_ns,
            end_ns,
            steps_per_epoch=label.steps_per_epoch or ranks[0].beats[-1].steps_per_epoch,
        ),
        world_size=first.world_size,
        host=dict(first.host),
        absent=first.absent,
        intensity=first.intensity,
        pue=first.pue,
    )


class _RankCurves:
    """The energy curves of a rank over its training time.

    Args:
        journal: The journal of the rank.
        phases: The phases that are training.
    """

    def __init__(self, journal: RankJournal, phases: Collection[str]) -> None:
        self.beats = journal.beats
        self.times_ns = [sum(usage.ns for name, usage in beat.phases.items() if name in phases) for beat in self.beats]
        self.end_ns = self.times_ns[-1]
        places = range(len(journal.header.domains))
        self.energy = [self._curve([_sum_uj(beat, place, phases) for beat in self.beats]) for place in places]
        self.covered = [self._curve([_sum_covered(beat, place, phases) for beat in self.beats]) for place in places]

    def power(self, credit: Credit, start_ns: int, end_ns: int, *, prefix: str) -> DomainPower:
        """The mean power of a domain over a part of the training."""
        domain, energy, covered = credit.domain, self.energy[credit.place], self.covered[credit.place]
        used = Energy(energy.height(end_ns) - energy.height(start_ns))
        covered_ns = covered.height(end_ns) - covered.height(start_ns)
        return DomainPower(
            id=prefix + domain.id,
            kind=domain.kind,
            name=domain.name,
            watts=used.over(covered_ns).watts if covered_ns else None,
            provenance=domain.provenance,
            uncertainty_ratio=domain.uncertainty_ratio,
            coverage_ratio=min(1.0, covered_ns / (end_ns - start_ns)),
            method=domain.method,
            counted=credit.is_root,
            accuracy=domain.accuracy,
        )

    def between(self, start_ns: int, end_ns: int) -> tuple[Beat, Beat]:
        """The first and the last beat in a part of the training."""
        inside = [beat for beat, at_ns in zip(self.beats, self.times_ns, strict=True) if start_ns <= at_ns <= end_ns]
        return (inside[0], inside[-1]) if inside else (self.beats[-1], self.beats[-1])

    def _curve(self, heights: Sequence[int]) -> EnergyCurve:
        curve = EnergyCurve(0)
        for at_ns, (before, after) in zip(self.times_ns, pairwise([0, *heights]), strict=True):
            curve.rise(at_ns, after - before)
        return curve


def _blocks(curves: Sequence[EnergyCurve], start_ns: int, end_ns: int) -> list[float]:
    """The mean power of equal blocks of a part of the training, in watts, summed over domains."""
    count = block_count((end_ns - start_ns) / NANOSECONDS_PER_SECOND)
    cuts = [start_ns + (end_ns - start_ns) * place // count for place in range(count + 1)]
    heights = [sum(curve.height(cut) for curve in curves) for cut in cuts]
    return [
        Energy(late - early).over(until_ns - since_ns).watts if until_ns > since_ns else 0.0
        for (early, late), (since_ns, until_ns) in zip(pairwise(heights), pairwise(cuts), strict=True)
    ]


def _speed(tracks: Sequence[_RankCurves], start_ns: int, end_ns: int, *, steps_per_epoch: float | None) -> Speed:
    """The speed of all ranks, each of which counts the samples and tokens of its own part of a step."""
    ends = [track.between(start_ns, end_ns) for track in tracks]
    first, last = ends[0]
    step_seconds = (last.step_ns - first.step_ns) / NANOSECONDS_PER_SECOND
    steps = last.steps - first.steps
    return Speed(
        steps=steps,
        steps_per_second=steps / step_seconds if steps and step_seconds > 0 else None,
        samples_per_second=_rate([(late.samples, early.samples, late.step_ns - early.step_ns) for early, late in ends]),
        tokens_per_second=_rate([(late.tokens, early.tokens, late.step_ns - early.step_ns) for early, late in ends]),
        steps_per_epoch=steps_per_epoch,
    )


def _rate(counts: Sequence[tuple[int | None, int | None, int]]) -> float | None:
    """The sum of the ranks' rates; ``None`` where any rank does not know its own."""
    rates = [
        (late - (early or 0)) / (ns / NANOSECONDS_PER_SECOND)
        for late, early, ns in counts
        if late is not None and ns > 0 and late > (early or 0)
    ]
    return sum(rates) if rates and len(rates) == len(counts) else None


def _sum_uj(beat: Beat, place: int, phases: Collection[str]) -> int:
    return sum(usage.uj[place] for name, usage in beat.phases.items() if name in phases)


def _sum_covered(beat: Beat, place: int, phases: Collection[str]) -> int:
    return sum(usage.covered_ns[place] for name, usage in beat.phases.items() if name in phases)

"""Journals of trainings whose power is known, for tests of measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lightning_carbon.records.journal import Beat, DomainDescription, PhaseBeat
from lightning_carbon.study.measured.from_journals import RankJournal
from tests.unit.records.parts import SECOND, STARTED, domain, part

GPU, PACKAGE, DRAM = domain("gpu:0"), domain("package:0", provenance="modelled"), domain("dram:0")


def journal(
    domains: Sequence[DomainDescription] = (GPU,),
    watts: Callable[[float, int], float] = lambda _seconds, _place: 300.0,
    *,
    seconds: float = 60.0,
    rank: int = 0,
    world: int = 1,
    host: str = "node-0",
    setup_seconds: float = 5.0,
    setup_watts: float = 50.0,
    steps_per_second: float = 10.0,
    samples: int | None = 4,
    tokens: int | None = None,
    covered: float = 1.0,
    phase: str = "train",
    beat_seconds: float = 0.5,
) -> RankJournal:
    """What a rank writes that sets up, and then trains.

    Args:
        domains: What it meters.
        watts: The power at a second of the training, of the domain at a place.
        seconds: How long it trains.
        rank: Its number.
        world: How many ranks there are.
        host: Where it runs.
        setup_seconds: How long it sets up before.
        setup_watts: Each domain's power then.
        steps_per_second: How fast it trains.
        samples: Samples of a step.
        tokens: Tokens of a step.
        covered: The share of the time that readings cover.
        phase: What it calls training.
        beat_seconds: How often it writes.
    """
    header = part(rank, dict.fromkeys(domains, 0), world=world, host=host).header
    places = range(len(domains))
    joules = [0.0 for _ in domains]
    beats = []
    for number in range(round(seconds / beat_seconds) + 1):
        at = number * beat_seconds
        if number:
            joules = [joules[place] + watts(at - beat_seconds / 2, place) * beat_seconds for place in places]
        steps = int(at * steps_per_second + 1e-6)
        phases = {
            "setup": _phase(setup_seconds, [setup_watts * setup_seconds] * len(domains), 1.0),
            phase: _phase(at, joules, covered),
        }
        beat = Beat(
            at=STARTED + setup_seconds + at,
            status="running",
            ns=round((setup_seconds + at) * SECOND),
            steps=steps,
            samples=None if samples is None else samples * steps,
            tokens=None if tokens is None else tokens * steps,
            step_ns=round(steps / steps_per_second * SECOND),
            step_uj=(0,) * len(domains),
            phases=phases,
            lost=(None,) * len(domains),
        )
        beats.append(beat)
    return RankJournal(header, tuple(beats))


def later(journal: RankJournal, beats: int) -> RankJournal:
    """The same journal, begun anew with its beat of that number, as long ones are."""
    return RankJournal(replace(journal.header), journal.beats[beats:])


def _phase(seconds: float, joules: Sequence[float], covered: float) -> PhaseBeat:
    ns = round(seconds * SECOND)
    return PhaseBeat(
        ns, tuple(round(counted * covered * 1_000_000) for counted in joules), (round(ns * covered),) * len(joules)
    )

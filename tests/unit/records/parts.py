"""Parts of ranks that tests of journals, of merging and of the ledger share."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from lightning_carbon.ports import Finding
from lightning_carbon.records.journal import (
    JOURNAL_SCHEMA,
    Beat,
    DomainDescription,
    Header,
    PartBeat,
    PhaseBeat,
    RankPart,
)
from lightning_carbon.records.run import Status
from tests.unit.records.samples import GIVEN_GRID, GIVEN_PUE

SECOND = 1_000_000_000
STARTED = 1_795_000_000.0


def domain(name: str, *, parent: str | None = None, provenance: str = "counter") -> DomainDescription:
    """A domain of 5 %."""
    return DomainDescription(name, name.split(":", maxsplit=1)[0], name.upper(), provenance, 0.05, "as told", parent)


def part(
    rank: int = 0,
    uj: dict[DomainDescription, int] | None = None,
    *,
    world: int = 1,
    host: str = "node-0",
    seconds: int = 10,
    covered: int | None = None,
    steps: int = 0,
    status: Status = Status.RUNNING,
    run_id: str = "20261121T101112Z-3fa2",
    project: str = "lisa",
    samples: int | None = None,
    pid: int = 1,
    at: float | None = None,
    forward: float | None = None,
) -> RankPart:
    """What a rank has written after some seconds, all of them in one phase.

    Args:
        rank: Its number.
        uj: The energy of each of its domains.
        world: How many ranks there are.
        host: Where it runs.
        seconds: How long it has run.
        covered: How many of them readings cover; all by default.
        steps: How many steps it has taken.
        status: How it stands.
        run_id: The run.
        project: What the run belongs to.
        samples: How many samples it had.
        pid: Its process.
        at: When it wrote; after those seconds by default.
        forward: The share of the phase that is told as its forward pass, the rest being told as backward.
    """
    uj = {} if uj is None else uj
    figures = tuple(uj.values())
    reach = (seconds if covered is None else covered) * SECOND
    phases = {"train": PhaseBeat(seconds * SECOND, figures, (reach,) * len(uj))} if seconds else {}
    header = Header(
        schema=JOURNAL_SCHEMA,
        run_id=run_id,
        project=project,
        run_name="baseline",
        rank=rank,
        local_rank=rank,
        world_size=world,
        host_id=f"{host}:boot",
        pid=pid,
        pid_started=STARTED - 5,
        started_at=STARTED,
        host={"name": host},
        domains=tuple(uj),
        absent=(Finding("rapl", "package 0", reason="not there", fix="plug it in"),),
        intensity=GIVEN_GRID,
        pue=GIVEN_PUE,
    )
    beat = Beat(
        at=STARTED + seconds if at is None else at,
        status=status.value,
        ns=seconds * SECOND,
        steps=steps,
        samples=samples,
        tokens=None,
        step_ns=seconds * SECOND if steps else 0,
        step_uj=figures if steps else (0,) * len(uj),
        phases=phases,
        lost=(None,) * len(uj),
        parts={} if forward is None or not seconds else {"train": _split(phases["train"], forward)},
    )
    return RankPart(header, beat)


def _split(phase: PhaseBeat, ratio: float) -> dict[str, PartBeat]:
    forward = PartBeat(round(phase.ns * ratio), tuple(round(uj * ratio) for uj in phase.uj))
    left = tuple(whole - uj for whole, uj in zip(phase.uj, forward.uj, strict=True))
    return {"forward": forward, "backward": PartBeat(phase.ns - forward.ns, left)}


@st.composite
def parts(draw: st.DrawFn) -> list[RankPart]:
    """What the ranks of one run have written: on hosts that they share or not, on hardware that they share or not."""
    hardware = [domain("gpu:0"), domain("gpu:1"), domain("package:0"), domain("dram:0", parent="package:0")]
    counts = st.dictionaries(st.sampled_from(hardware), st.integers(0, 10**12), max_size=4)
    world = draw(st.integers(1, 6))
    seconds = draw(st.integers(1, 100))
    return [
        part(
            rank,
            draw(counts),
            world=world,
            host=draw(st.sampled_from(["node-0", "node-1", "node-2"])),
            seconds=seconds,
            covered=draw(st.integers(0, seconds)),
            steps=draw(st.integers(0, 100)),
            samples=draw(st.none() | st.integers(0, 1_000)),
            status=draw(st.sampled_from(Status)),
            forward=draw(st.none() | st.floats(0, 1)),
        )
        for rank in range(world)
    ]


def ended(rank: RankPart, status: Status, at: float) -> RankPart:
    """The same rank, at its end."""
    return replace(rank, beat=replace(rank.beat, status=status.value, at=at))

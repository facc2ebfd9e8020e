"""The kept corpus of files that are not what they should be, and good ones that lie beside them.

Every file in ``tests/data/corpus`` was once wrong in a way that some reader stumbled on, or might. Its folder says what
it claims to be, and its name, without the ending, which run of the project ``corpus`` it is of. ``make fuzz`` adds to
it. What cannot be kept in a repository (a FIFO, a device, a file of 20 GB) is made where it is needed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.baseline.costs import Baseline, baseline_to, cost_of
from lightning_carbon.baseline.several import cost_of_runs
from lightning_carbon.records.journal import beat_mapping, header_mapping
from lightning_carbon.records.lineage import checkpoint_at, checkpoint_mapping
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.study.measured.measurement import to_mapping as measurement_mapping
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL
from tests.unit.study.measured.measurements import measured, power

Maker = Callable[[Path], None]
"""Makes what is wrong in the place of a file."""

if TYPE_CHECKING:
    from lightning_carbon.records.journal import RankPart
    from lightning_carbon.records.run import RunRecord

CORPUS: Final = Path(__file__).parent / "data" / "corpus"
PROJECT: Final = "corpus"
GOOD: Final = "20261121T101112Z-900d"
"""A run that is as it should be."""
HUGE_BYTES: Final = 20 * 10**9

PLACES: Final = {
    "records": "record.json",
    "journals": "rank-00000.jsonl",
    "measurements": "measurement.json",
}
"""Where each sort of file lies in the folder of a run."""


def files(kind: str) -> list[Path]:
    """The kept files of a sort: records, journals, measurements, baselines, checkpoints or powercap."""
    return sorted((CORPUS / kind).iterdir())


def record(run_id: str = GOOD) -> RunRecord:
    """A good record, of one rank, that can be held against a baseline."""
    domains = tuple(replace(known, coverage_ratio=1.0, step_joules=known.joules) for known in FULL.energy.domains)
    energy = replace(FULL.energy, domains=domains)
    return replace(FULL, run_id=run_id, project=PROJECT, energy=energy, world_size=1, ranks=FULL.ranks[:1])


def rank(run_id: str = GOOD, number: int = 0) -> RankPart:
    """What a rank of a good run has written."""
    return part(number, {domain("gpu:0"): 5_000_000}, steps=3, run_id=run_id, project=PROJECT, forward=0.5)


def journal(run_id: str = GOOD) -> list[str]:
    """The lines of a good journal."""
    written = rank(run_id)
    beat = compact(beat_mapping(written.beat))
    return [compact(header_mapping(written.header)), beat, beat]


def measurement(run_id: str = GOOD) -> dict[str, Any]:
    """A good measurement."""
    return measurement_mapping(replace(measured(power("gpu:0", 100.0), run_id=run_id), project=PROJECT))


def baseline() -> dict[str, Any]:
    """A good baseline."""
    runs = [cost_of(record(f"{GOOD}-{number}" if number else GOOD)) for number in range(5)]
    return baseline_to(Baseline((cost_of_runs(runs),)))


def checkpoint() -> dict[str, Any]:
    """What a good checkpoint says of its energy."""
    return checkpoint_mapping(checkpoint_at(record()))


def compact(values: object) -> str:
    """Plain values in one line."""
    return json.dumps(values, separators=(",", ":"))


def build(ledger: Path) -> set[str]:
    """Lay a ledger of good runs and all that is wrong.

    Args:
        ledger: An empty folder.

    Returns:
        The names of the folders in which something is wrong that is to be told.
    """
    for run_id in (GOOD, f"{GOOD}-2"):
        folder = ledger / PROJECT / run_id
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(compact(to_mapping(record(run_id))))
        (folder / "rank-00000.jsonl").write_text("\n".join(journal(run_id)) + "\n")
        (folder / "measurement.json").write_text(compact(measurement(run_id)))
    bad = set()
    for kind, name in PLACES.items():
        for path in files(kind):
            folder = ledger / PROJECT / path.stem
            folder.mkdir(parents=True)
            shutil.copyfile(path, folder / name)
            bad.add(path.stem)
    for kind, name in PLACES.items():
        for what, make in UNKEPT.items():
            folder = ledger / PROJECT / f"{what}-{kind}"
            folder.mkdir()
            make(folder / name)
            bad.add(folder.name)
    loop = ledger / PROJECT / "loop"
    loop.symlink_to(loop)
    return bad | {"loop"}


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE_BYTES)


UNKEPT: Final[dict[str, Maker]] = {
    "fifo": _fifo,
    "folder": _folder,
    "endless": _endless,
    "loop": _loop,
    "huge": _huge,
}
"""What cannot be kept in a repository: each is made where a file should be."""

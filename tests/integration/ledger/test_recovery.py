"""Runs that nobody has closed: the dead are recovered with their energy, the living are left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.ledger.recovery import is_process_there
from lightning_carbon.records.journal import Beat, beat_mapping, header_mapping
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import iso, record_of
from lightning_carbon.records.run import RunRecord, Status
from tests.integration.ledger.support import GONE, THERE, Reader, age, folder_of, write
from tests.unit.records.parts import STARTED, domain, part

GPU = domain("gpu:0")
DEAD = part(0, {GPU: 3_000_000}, seconds=7, steps=4, pid=GONE)


def stored(folder: Path) -> RunRecord:
    """The record as it is in a file."""
    return from_mapping(json.loads((folder / "record.json").read_text()))


def test_a_dead_run_is_recovered_with_its_energy(tmp_path: Path) -> None:
    """Its end is its last beat, and what is told is what is written; the second reader finds it as any other."""
    folder = write(tmp_path, DEAD)
    (found,) = Reader(tmp_path).ledger.runs()

    assert ("interrupted", 3.0, 4, iso(STARTED + 7)) == (
        found.status,
        found.energy.total_joules,
        found.steps,
        found.ended_at,
    )
    assert ["interrupted"] == [rank.status for rank in found.ranks]
    assert [replace(found, location=None)] == [stored(folder)]
    assert [found] == list(Reader(tmp_path).ledger.runs())
    assert ["rank-00000.jsonl", "record.json"] == sorted(path.name for path in folder.iterdir())


def test_recovery_removes_what_the_dead_have_half_written(tmp_path: Path) -> None:
    """However fresh it is; what another reader may be writing right now stays."""
    folder = write(tmp_path, DEAD)
    left, fresh = (folder / f".record.json.{pid}.0123abcd.tmp" for pid in (GONE, THERE))
    for path in (left, fresh):
        path.write_text("{")
    Reader(tmp_path).ledger.read(folder)

    assert (False, True) == (left.exists(), fresh.exists())


def test_a_run_that_died_before_its_record_is_recovered(tmp_path: Path) -> None:
    """Its journals are enough."""
    folder = write(tmp_path, DEAD, with_record=False)
    (found,) = Reader(tmp_path).ledger.runs()

    assert "interrupted" == found.status == stored(folder).status


@pytest.mark.parametrize(
    ("pid", "silent", "host", "status"),
    [
        (THERE, 1_000, "node-0:boot", "running"),  # stopped, or its machine slept
        (GONE, 1, "node-0:boot", "running"),  # in another container
        (GONE, 11, "node-0:boot", "interrupted"),
        (GONE, -11, "node-0:boot", "interrupted"),  # the clock was set back since
        (GONE, 11, "node-9:boot", "running"),  # seen from elsewhere
        (THERE, 130, "node-9:boot", "interrupted"),
        (THERE, -130, "node-9:boot", "interrupted"),
    ],
)
def test_dead_is_who_is_silent_and_cannot_be_found(
    tmp_path: Path, pid: int, silent: float, host: str, status: str
) -> None:
    """Processes of this host are looked up; of others only the silence can be seen. The living are left alone."""
    folder = write(tmp_path, part(0, {GPU: 5}, pid=pid), silent=silent)
    (found,) = Reader(tmp_path, host).ledger.runs()

    assert status == found.status == stored(folder).status
    assert pytest.approx(0.000005) == found.energy.total_joules


def test_a_process_that_is_gone_is_dead_at_once(tmp_path: Path) -> None:
    """Where its number means the same here; in another container, it may be there under another number."""
    header = replace(DEAD.header, pid_namespace=4)
    folder = write(tmp_path, replace(DEAD, header=header), silent=0)
    (elsewhere,) = Reader(tmp_path, namespace=5).ledger.runs()
    (here,) = Reader(tmp_path, namespace=4).ledger.runs()

    assert ("running", "interrupted") == (elsewhere.status, here.status)
    assert "interrupted" == stored(folder).status


def test_a_living_run_shows_what_its_journals_say(tmp_path: Path) -> None:
    """Not what its record said when it began, which stays as it was."""
    folder = write(tmp_path, part(0, {GPU: 5}, pid=THERE, seconds=1))
    before = stored(folder)
    write(tmp_path, part(0, {GPU: 500}, pid=THERE, seconds=9), with_record=False)
    (found,) = Reader(tmp_path).ledger.runs()

    assert ("running", 0.0005, None) == (found.status, found.energy.total_joules, found.ended_at)
    assert before == stored(folder)


@pytest.mark.parametrize(
    ("statuses", "told", "ranks"),
    [
        ("completed completed", "completed", "completed completed"),
        ("completed failed", "failed", "completed failed"),
        ("running completed", "interrupted", "interrupted completed"),
        ("running failed", "failed", "interrupted failed"),
        ("running running", "interrupted", "interrupted interrupted"),
    ],
)
def test_ranks_that_ended_by_themselves_keep_how(tmp_path: Path, statuses: str, told: str, ranks: str) -> None:
    """The run stands as the worst of them; a rank that was killed because another failed does not hide that."""
    parts = [
        part(rank, {domain(f"gpu:{rank}"): 10}, world=2, pid=GONE, status=Status(status))
        for rank, status in enumerate(statuses.split())
    ]
    folder = write(tmp_path, *parts)
    (found,) = Reader(tmp_path).ledger.runs()

    assert told == found.status == stored(folder).status
    assert ranks.split() == [rank.status for rank in found.ranks]
    assert pytest.approx(0.00002) == found.energy.total_joules


def test_one_living_rank_keeps_a_run_alive(tmp_path: Path) -> None:
    """Nothing is written for it as long as it beats."""
    folder = write(tmp_path, *(part(rank, world=2, pid=pid) for rank, pid in enumerate((GONE, THERE))))
    (found,) = Reader(tmp_path).ledger.runs()

    assert "running" == found.status == stored(folder).status


def test_what_a_rank_used_after_another_had_closed_the_record_counts(tmp_path: Path) -> None:
    """A record that was written while a rank still ran is read again with its journals."""
    early = part(1, {domain("gpu:1"): 10}, world=2, pid=GONE, seconds=1)
    folder = write(tmp_path, part(0, {GPU: 10}, world=2, pid=GONE, status=Status.FAILED, seconds=1), early)
    write(tmp_path, part(1, {domain("gpu:1"): 40}, world=2, pid=GONE, seconds=4), with_record=False)
    (found,) = Reader(tmp_path).ledger.runs()

    assert (
        ("failed", 0.00005)
        == (found.status, found.energy.total_joules)
        == (
            stored(folder).status,
            stored(folder).energy.total_joules,
        )
    )


def test_who_was_taken_for_dead_and_goes_on_is_alive(tmp_path: Path) -> None:
    """A machine that slept was seen from elsewhere; when it beats again it is running again."""
    run = part(0, {GPU: 5}, pid=THERE, seconds=1)
    write(tmp_path, run, silent=130)
    (taken,) = Reader(tmp_path, "node-9:boot").ledger.runs()
    later = part(0, {GPU: 50}, pid=THERE, seconds=9)
    age(folder_of(tmp_path, run) / "record.json", 60)
    write(tmp_path, later, silent=0, with_record=False)
    age(folder_of(tmp_path, run) / "record.json", 60)
    (again,) = Reader(tmp_path, "node-9:boot").ledger.runs()

    assert ("interrupted", "running") == (taken.status, again.status)
    assert pytest.approx(0.00005) == again.energy.total_joules


def test_64_ranks_on_8_hosts_are_one_run(tmp_path: Path) -> None:
    """Every GPU counts, and every host's processor once."""
    parts = [
        part(
            rank,
            {domain(f"gpu:{rank % 8}"): 1_000_000 + rank, domain("package:0"): 500_000},
            world=64,
            host=f"node-{rank // 8}",
            pid=GONE,
        )
        for rank in range(64)
    ]
    write(tmp_path, *parts)
    (found,) = Reader(tmp_path).ledger.runs()

    assert (64, 72) == (len(found.ranks), len(found.energy.domains))
    assert sum(1_000_000 + rank for rank in range(64)) + 8 * 500_000 == round((found.energy.total_joules or 0) * 1e6)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_journal_cut_anywhere_tells_its_last_whole_beat(data: st.DataObject) -> None:
    """A kill tears the last line; what stands before it counts."""
    count = data.draw(st.integers(1, 4))
    beats = [part(0, {GPU: 10 * (at + 1)}, seconds=at + 1, pid=GONE).beat for at in range(count)]
    lines = [json.dumps(header_mapping(DEAD.header)), *(json.dumps(beat_mapping(beat)) for beat in beats)]
    whole = "".join(f"{line}\n" for line in lines).encode()
    cut = data.draw(st.integers(0, len(whole)))
    ends = [sum(len(line) + 1 for line in lines[: 2 + number]) for number in range(count)]
    told: list[Beat] = [beat for beat, end in zip(beats, ends, strict=True) if end <= cut]
    with tempfile.TemporaryDirectory() as root:
        folder = folder_of(Path(root), DEAD)
        folder.mkdir(parents=True)
        path = folder / "rank-00000.jsonl"
        path.write_bytes(whole[:cut])
        age(path, 1_000)
        reader = Reader(Path(root))
        found = list(reader.ledger.runs())

        assert [beat.uj(0) / 1e6 for beat in told[-1:]] == [record.energy.total_joules for record in found]
        assert len(found) + len(reader.said) == 1


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"{", b"}", b"[1]\n", b"{}\n", b"null\n", b"\n", b"\xff"])))
@settings(max_examples=60, deadline=None)
def test_garbage_is_told_and_never_raised(data: bytes | list[bytes]) -> None:
    """Whatever lies in the place of a journal or a record, other runs are listed, and one line says what is wrong."""
    garbage = data if isinstance(data, bytes) else b"".join(data)
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), DEAD)
        for number, name in enumerate(("rank-00000.jsonl", "record.json")):
            folder = Path(root) / "other" / str(number)
            folder.mkdir(parents=True)
            (folder / name).write_bytes(garbage)
        reader = Reader(Path(root))

        assert [DEAD.header.run_id] == [run.run_id for run in reader.ledger.runs()]
        assert 2 == len(reader.said)
        assert not any("\n" in line for line in reader.said)


def test_a_rank_without_a_beat_is_not_invented(tmp_path: Path) -> None:
    """What it used is not known; it is missing among the ranks, and one line says so. Nothing is written twice."""
    folder = write(tmp_path, DEAD, part(1, world=2, pid=GONE))
    late = folder / "rank-00001.jsonl"
    late.write_text(late.read_text().splitlines()[0] + "\n")
    age(late, 1_000)
    reader = Reader(tmp_path)
    (found,) = reader.ledger.runs()

    before = (folder / "record.json").stat().st_ino
    again = list(reader.ledger.runs())

    assert ("interrupted", 1, [found]) == (found.status, len(found.ranks), again)
    assert before == (folder / "record.json").stat().st_ino
    assert ["no whole beat"] * 2 == [" ".join(line.split()[3:6]) for line in reader.said]


def test_a_run_that_died_at_once_is_interrupted(tmp_path: Path) -> None:
    """It has a record and no beat: what the record says stands, and that it has ended."""
    folder = write(tmp_path, DEAD)
    journal = folder / "rank-00000.jsonl"
    for left in (journal.read_text().splitlines()[0] + "\n", ""):
        write(tmp_path, DEAD)
        journal.write_text(left)
        age(journal, 1_000)
        (found,) = Reader(tmp_path).ledger.runs()

        assert ("interrupted", found.started_at) == (found.status, found.ended_at)


@pytest.mark.parametrize("name", ["rank-00000.jsonl", "record.json"])
def test_what_a_later_version_wrote_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    """Neither is half of it read nor anything written over it."""
    folder = write(tmp_path, DEAD)
    path = folder / name
    text = path.read_text().replace('"schema": 1', '"schema": 2')
    path.write_text(text)
    before = (folder / "record.json").read_bytes()
    reader = Reader(tmp_path)
    found = [run.status for run in reader.ledger.runs()]

    assert (["running"] if name != "record.json" else []) == found
    assert before == (folder / "record.json").read_bytes()
    assert ["schema 2"] == [line[line.index("schema") :][:8] for line in reader.said]


def test_who_closed_a_run_meanwhile_is_right(tmp_path: Path) -> None:
    """Between reading a record and writing another, the run may have written its own."""
    folder = write(tmp_path, DEAD)
    closed = record_of([replace(DEAD, beat=replace(DEAD.beat, status="completed"))])

    class _Meanwhile:
        def __init__(self) -> None:
            self.reader = Reader(tmp_path)

        def there(self, pid: int, started: float | None) -> bool:
            del pid, started
            (folder / "record.json").write_text(json.dumps(to_mapping(closed)))
            return False

    meanwhile = _Meanwhile()
    observer = replace(meanwhile.reader.ledger.observer, is_there=meanwhile.there)
    (found,) = type(meanwhile.reader.ledger)(tmp_path, observer, print).runs()

    assert "completed" == found.status == stored(folder).status


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    """By when it started; a dead one that nobody has waited for is dead."""
    import psutil

    mine, started = os.getpid(), psutil.Process().create_time()
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        until = time.monotonic() + 300
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.01)
        zombie = is_process_there(child.pid, None)
    gone = is_process_there(child.pid, started)

    assert (True, False, None) == (
        is_process_there(mine, started),
        is_process_there(mine, started - 60),
        is_process_there(mine, None),
    )
    assert (False, False) == (zombie, gone)


_READ = """
import sys, time
from pathlib import Path
from tests.integration.ledger.support import Reader
time.sleep(max(0, float(sys.argv[2]) - time.time()))
for record in Reader(Path(sys.argv[1])).ledger.runs():
    print(record)
"""


def test_two_readers_at_once_do_no_harm(tmp_path: Path) -> None:
    """Two processes recover the same 150 runs at the same time: both tell the same, and it is what is written."""
    runs = [
        [part(rank, {domain(f"gpu:{rank}"): 100 + run}, world=2, pid=GONE, run_id=f"{run:03}") for rank in range(2)]
        for run in range(150)
    ]
    for parts in runs:
        write(tmp_path, *parts)
    words = [sys.executable, "-c", _READ, str(tmp_path), str(time.time() + 2.5)]
    readers = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    told = [reader.communicate(timeout=500) for reader in readers]
    left = list(Reader(tmp_path).ledger.runs())

    assert [b"", b""] == [err for _, err in told]
    assert told[0] == told[1]
    assert [f"{record}\n" for record in left] == told[0][0].decode().splitlines(keepends=True)
    assert [round(2 * (100 + run)) for run in range(150)] == [
        round((record.energy.total_joules or 0) * 1e6) for record in left
    ]
    assert {"record.json", "rank-00000.jsonl", "rank-00001.jsonl"} == {path.name for path in tmp_path.glob("lisa/*/*")}


def test_a_ledger_that_can_only_be_read_shows_what_is_known(tmp_path: Path) -> None:
    """Nothing is written, and nothing is said."""
    folder = write(tmp_path, DEAD)
    if os.geteuid() == 0:
        mount = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"',
        ]
        words = [*mount, str(tmp_path), sys.executable, "-c", _READ, str(tmp_path), "0"]
        if (
            shutil.which("unshare") is None
            or subprocess.run([*words[:6], "true"], check=False, capture_output=True).returncode
        ):
            pytest.skip("no mount can be made here, and root may write everywhere else")
    else:
        words = [sys.executable, "-c", _READ, str(tmp_path), "0"]
        folder.chmod(0o555)
        tmp_path.chmod(0o555)
    try:
        told = subprocess.run(words, check=False, capture_output=True, text=True, timeout=500)
    finally:
        folder.chmod(0o755)
        tmp_path.chmod(0o755)

    assert (0, "") == (told.returncode, told.stderr)
    assert "status='interrupted'" in told.stdout
    assert "running" == stored(folder).status

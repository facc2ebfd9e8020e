"""The processor time of a changing set of processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.process_tree import ProcessorTime, ProcessTimes, listed_descendants

ROOT = 0


@dataclass
class Process:
    """A process of the little world below; whole seconds, so that sums are exact."""

    parent: int | None
    own: int = 0
    waited: int = 0


class World:
    """Processes that spawn, run, and are waited for; and an observer who sees them one after the other."""

    def __init__(self) -> None:
        self.processes = {ROOT: Process(None)}
        self.known = [ROOT]
        self.spent = 0
        self._born = ROOT

    def act(self, choice: int, seconds: int) -> None:
        """Let something happen to one of the processes, as the choice says."""
        pid = sorted(self.processes)[choice % len(self.processes)]
        match (choice // len(self.processes)) % 3:
            case 0:
                self._born += 1
                self.processes[self._born] = Process(pid)
            case 1:
                self.processes[pid].own += seconds
                self.spent += seconds
            case _:
                self.reap(pid)

    def reap(self, pid: int) -> None:
        """End a process that has no children, and have its parent wait for it."""
        process = self.processes[pid]
        if process.parent is not None and not any(other.parent == pid for other in self.processes.values()):
            self.processes[process.parent].waited += process.own + process.waited
            del self.processes[pid]

    def find(self) -> None:
        """Let the observer find those who were born meanwhile."""
        self.known = sorted(self.processes)

    def look(self, meanwhile: list[tuple[int, int]]) -> dict[int, ProcessTimes[int]]:
        """Let the observer see who is known, parents first, with something happening between one and the next."""
        seen = {}
        happenings = iter(meanwhile)
        for pid in self.known:
            if (process := self.processes.get(pid)) is not None:
                seen[pid] = ProcessTimes(float(process.own), float(process.waited), process.parent)
            if (act := next(happenings, None)) is not None:
                self.act(*act)
        return seen


Acts = list[tuple[int, int]]

acts = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12)


@given(st.lists(st.tuples(acts, st.booleans(), acts), max_size=12))
def test_no_second_is_counted_twice_and_none_is_lost(looks: list[tuple[Acts, bool, Acts]]) -> None:
    """However children come and go, the count never falls, never exceeds what was spent, and comes to it in the end."""
    world = World()
    tally = ProcessorTime(world.look([]))
    counts = [0.0]
    for before, lists, during in looks:
        for act in before:
            world.act(*act)
        if lists:
            world.find()
        counts.append(tally.update(world.look(during)))
        assert counts[-2] <= counts[-1] <= world.spent
    for pid in sorted(world.processes, reverse=True):
        world.reap(pid)
    tally.update(world.look([]))

    assert world.spent == tally.update(world.look([]))


def test_what_was_spent_before_the_start_is_not_counted() -> None:
    """The count starts at zero, whatever the processes have behind them."""
    alive: dict[str, ProcessTimes[str]] = {"root": ProcessTimes(50.0, 7.0), "child": ProcessTimes(3.0, 1.0, "root")}

    assert ProcessorTime(alive).update(alive) == 0.0


def test_a_child_that_nobody_waits_for_keeps_what_was_seen_of_it() -> None:
    """A child whose parent ignores its end is counted up to the last look, and later children are not docked for it."""
    alone: dict[str, ProcessTimes[str]] = {"root": ProcessTimes(0.0)}
    tally = ProcessorTime(alone)
    tally.update({**alone, "child": ProcessTimes(5.0, 0.0, "root")})
    tally.update(alone)
    tally.update(alone)

    assert 5.0 + 2.0 == tally.update({"root": ProcessTimes(0.0, 2.0)})


def test_descendants_are_listed_by_the_threads_of_each(tmp_path: Path) -> None:
    """A parent comes before its children; who has ended since has none, and without lists there is no answer."""
    for pid, thread, children in ((10, 10, "11 12 "), (10, 19, "13 "), (11, 11, ""), (12, 12, "14 "), (14, 14, "")):
        folder = tmp_path / f"{pid}/task/{thread}"
        folder.mkdir(parents=True)
        (folder / "children").write_text(children)
    (tmp_path / "14/task/17").mkdir()  # a thread that ends right now

    found = listed_descendants(10, tmp_path)

    assert found is not None
    assert ([(11, 10), (12, 10), (13, 10)], [(14, 12)]) == (sorted(found[:3]), found[3:])
    assert listed_descendants(13, tmp_path) is None

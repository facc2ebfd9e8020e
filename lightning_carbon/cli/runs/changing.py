"""``lightning-carbon runs tag``, ``merge`` and ``delete``: what changes a ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from lightning_carbon.cli.runs.choosing import find_run, known_runs, open_runs
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.ledger.tags import write_tags
from lightning_carbon.ledger.union import Carried, carry, remove
from lightning_carbon.records.numbers import WATT_HOURS, amount, printable
from lightning_carbon.records.run import Status
from lightning_carbon.settings import writable_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.run import RunRecord

_MOST_TAG: Final = 64
_ASKED: Final = 10
"""The most runs that a question names."""


def tag_run(text: str, tags: Sequence[str], ledger: str | None, *, project: str | None, remove: bool) -> None:
    """Give a run tags, or take them away; without tags, print those it has.

    Raises:
        ConfigError: There is no such run, or a text can be no tag.
        LedgerError: The ledger cannot be written.
    """
    for tag in tags:
        if not tag.strip() or not tag.isprintable() or ";" in tag or len(tag) > _MOST_TAG:
            fix = f"give a short text, such as 'paper', of at most {_MOST_TAG} letters, without semicolons."
            raise ConfigError("tag", tag, fix)
    if remove and not tags:
        raise ConfigError("remove", True, "no tag is given; name those to take away.")
    record = find_run(text, ledger, project)
    runs = known_runs(ledger, project)
    known = {*runs.ledger.tags(record)}
    if tags:
        known = known - {*tags} if remove else known | {*tags}
        write_tags(runs.ledger.folder(record), known)
    say(f"{record.run_id} ({record.project}): {', '.join(sorted(known)) or 'no tags'}")


def merge_ledgers(folders: Sequence[str], ledger: str | None) -> None:
    """Copy the runs of other ledgers into one.

    Args:
        folders: Their folders.
        ledger: The folder that runs are copied into, where the user named it.

    Raises:
        ConfigError: A folder is missing, has no runs, or is the ledger itself.
        LedgerError: The ledger cannot be written.
    """
    target = writable_ledger(ledger)
    sources = []
    for folder in folders:
        source = Path(folder).expanduser().absolute()
        if not source.is_dir():
            raise ConfigError("folder", folder, "there is no such folder; give that of another ledger.")
        if source.resolve() == target.resolve():
            raise ConfigError("folder", folder, "it is the ledger that runs are copied into; give others.")
        sources.append(source)
    for source in sources:
        outcomes, left_out = Counter[Carried](), 0
        for record in open_runs(str(source)).ledger.runs():
            if record.status == Status.RUNNING:
                notice(f"{record.run_id} ({record.project}) of {source} goes on, and is left out; merge again later")
                left_out += 1
                continue
            if record.location is None:
                continue
            outcomes[carry(Path(record.location).parent, target / record.project / record.run_id)] += 1
        told = [
            f"{outcomes[outcome]:,} {word}"
            for outcome, word in (
                (Carried.NEW, "copied"),
                (Carried.COMPLETED, "completed"),
                (Carried.KNOWN, "there already"),
            )
        ]
        say(f"{source}: {', '.join(told)}{f', {left_out:,} still running' if left_out else ''}")


def delete_runs(texts: Sequence[str], ledger: str | None, project: str | None, *, is_sure: bool) -> None:
    """Delete runs with all their files.

    Args:
        texts: The runs.
        ledger: The folder of all runs that the user named, if any.
        project: The project, if only its runs count.
        is_sure: Whether no question is asked.

    Raises:
        ConfigError: There is no such run, or it goes on; nothing is deleted then.
        LedgerError: A run could not be deleted.
    """
    runs = known_runs(ledger, project)
    meant = [runs.ledger.find(text, runs.project) for text in texts]
    found = {(record.project, record.run_id): record for record in meant}
    for record in found.values():
        if record.status == Status.RUNNING:
            raise ConfigError("run", record.run_id, "it goes on; delete it when it has ended.")
    for record in [*found.values()][:_ASKED]:
        say(_called(record))
    if len(found) > _ASKED:
        say(f"and {len(found) - _ASKED} more")
    if not is_sure and not typer.confirm(f"Delete {_runs(len(found))} with all files?", default=False):
        say("Nothing is deleted.")
        return
    for record in found.values():
        try:
            remove(runs.ledger.folder(record))
        except LedgerError as error:
            notice(str(error))
            raise
    say(f"{_runs(len(found))} deleted.")


def _runs(count: int) -> str:
    return f"{count:,} {'run' if count == 1 else 'runs'}"


def _called(record: RunRecord) -> str:
    joules = record.energy.total_joules
    used = "no energy" if joules is None else amount(joules, WATT_HOURS)
    name = f" {record.run_name}" if record.run_name else ""
    return printable(f"{record.run_id}{name} ({record.project}), {record.status}, {used}")

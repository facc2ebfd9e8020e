"""``lightning-carbon runs push`` and ``total --from``: the database of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.totals import check_forms, checked_way, print_sums
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.address import without_password
from lightning_carbon.ledger.team import Team

if TYPE_CHECKING:
    from lightning_carbon.ledger.filters import RunFilter


def push_runs(url: str, ledger: str | None, project: str | None) -> None:
    """Put the runs of a ledger into the database of a team.

    Raises:
        ConfigError: There is no such ledger or project, or the database cannot be used.
    """
    runs = known_runs(ledger, project)
    pushed = Team(url, "to").push(runs.ledger.runs(runs.project))
    say(f"{pushed.new:,} runs pushed to {without_password(url)}, {pushed.known:,} there already")


def show_team_totals(
    url: str, ledger: str | None, wanted: RunFilter, by: str | None, *, as_json: bool, as_csv: bool
) -> None:
    """Print sums over the runs in the database of a team.

    Args:
        url: The database.
        ledger: The folder of runs that was named, too, if any.
        wanted: The runs.
        by: How the sum is divided, if it is.
        as_json: Whether JSON is printed.
        as_csv: Whether CSV is printed.

    Raises:
        ConfigError: The database cannot be used, or an option does not go with it.
    """
    way = checked_way(by)
    check_forms(as_json=as_json, as_csv=as_csv)
    for name, value in (("ledger", ledger), ("tag", ", ".join(wanted.tags)), ("sweep", wanted.sweep)):
        if value:
            raise ConfigError(name, value, "--from is given too, whose database knows no such thing; leave one out.")
    print_sums(Team(url, "from").sums(wanted, way), way, as_json=as_json, as_csv=as_csv)

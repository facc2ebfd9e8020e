"""The settings of a process that joins a run of others, such as a server of rollouts."""

from __future__ import annotations

from typing import Final

from lightning_carbon.settings.checks import check_name
from lightning_carbon.settings.setting import Setting


def check_join(text: object) -> str | None:
    """Check ``join``.

    Raises:
        ConfigError: It is no text, or can be neither the id nor the name of a run.
    """
    return None if text is None else check_name("join", text)


def check_role(role: object) -> str | None:
    """Check ``role``.

    Raises:
        ConfigError: It is no text, or no name.
    """
    return None if role is None else check_name("role", role)


JOIN: Final = Setting(
    name="join",
    type=str | None,
    check=check_join,
    summary="The run that this process is a part of, by its id or its name, where it is none of the trainer's own.",
    details=(
        "For servers of rollouts and rewards, on any host that writes into the same ledger. Their energy is in the "
        "record of the run, by role, each GPU once."
    ),
    unset="a run of its own",
    variable="LIGHTNING_CARBON_JOIN",
    option="--join",
    metavar="RUN",
)
ROLE: Final = Setting(
    name="role",
    type=str | None,
    check=check_role,
    summary="The part of a process that joins a run, such as ``rollout`` or ``reward``; its phase has that name.",
    unset="``rollout``",
    variable="LIGHTNING_CARBON_ROLE",
    option="--role",
    metavar="NAME",
)

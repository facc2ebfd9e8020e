"""What ``lightning-carbon run`` is asked to meter: a program that it starts, a process, or the whole machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FIX: Final = "give a program after --, or --pid PID, or --machine."


def metered_as_asked(
    asked: Mapping[str, Any], settings: Mapping[str, object], *, copy_to: Path | None, quiet: bool
) -> int:
    """Meter what was asked for.

    Args:
        asked: The ``command``, the ``pid``, whether it is the ``machine``, and the ``period``, as they were given.
        settings: The meter's arguments; ``None`` for those not given.
        copy_to: The path of a copy of the record, if any.
        quiet: Whether to print no summary.

    Returns:
        The exit code.

    Raises:
        ConfigError: Something cannot be used; nothing was started.
    """
    from lightning_carbon.cli.run.attached import Attached, seconds_of
    from lightning_carbon.cli.run.metered import attached, metered

    command, pid, period = asked["command"], asked["pid"], asked["period"]
    ways = {"COMMAND": bool(command), "--pid": pid is not None, "--machine": asked["machine"]}
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) != 1:
        raise ConfigError("command", " and ".join(given), _FIX)
    if command:
        if period is not None:
            raise ConfigError("for", period, "a program is metered until it ends; use `timeout`, --pid or --machine.")
        return metered(command, settings, copy_to=copy_to, quiet=quiet)
    to = Attached(pid, None if period is None else seconds_of(period))
    return attached(to, settings, copy_to=copy_to, quiet=quiet)

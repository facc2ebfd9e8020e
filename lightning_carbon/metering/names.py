"""The names of phases and parts of a run: the known names, and a bounded number of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.phases import LONGEST_NAME_BYTES, MOST_NAMES, Part, Phase, is_name
from lightning_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum


class RunNames:
    """The names that a run has used so far; their number is bounded, as each has a cost at every beat and row.

    A part counts once for each of its phases.

    Args:
        warn: Called once, with a key and a message, when there are too many names.
        has_parts: Whether there are parts at all.
    """

    def __init__(self, warn: Callable[[str, str], None], *, has_parts: bool) -> None:
        self._warn = warn
        self._has_parts = has_parts
        self._phases: dict[str, str] = {phase.value: phase for phase in Phase}
        self._parts: dict[str, str] = {part.value: part for part in Part}
        self._own: set[tuple[str, str | None]] = set()

    def phase(self, name: object, outer: str) -> str:
        """The phase with a name.

        Args:
            name: What the user called it.
            outer: The phase that goes on where there are too many names.

        Raises:
            ConfigError: It cannot be a name.
        """
        phase = self._phases.get(name) if isinstance(name, str) else None
        if phase is None:
            phase = checked("phase", name, Phase)
            if not self._admits(phase, None):
                return outer
            self._phases[phase] = phase
        return phase

    def part(self, name: object, phase: str, outer: str) -> str:
        """The part of a name in a phase.

        Args:
            name: What the user called it.
            phase: The phase that it is in.
            outer: The part that goes on where there are too many names.

        Raises:
            ConfigError: It cannot be a name.
        """
        part = self._parts.get(name) if isinstance(name, str) else None
        if part is None:
            part = checked("part", name, Part)
            if not self._has_parts or not self._admits(phase, part):
                return outer
        return part

    def _admits(self, phase: str, part: str | None) -> bool:
        if (phase, part) in self._own:
            return True
        if len(self._own) >= MOST_NAMES:
            self._warn(
                "names",
                f"a run may have {MOST_NAMES} names of its own for phases and parts: {part or phase!r} and further "
                "ones count to what is around them",
            )
            return False
        self._own.add((phase, part))
        return True


def checked(argument: str, name: object, kind: type[StrEnum]) -> str:
    """Check a name, the user's own or a known name.

    Args:
        argument: The name of the argument.
        name: The name.
        kind: The known names.

    Raises:
        ConfigError: It cannot be a name, or differs from a known name in capitals alone.
    """
    if not is_name(name):
        fix = (
            f"give letters and digits, with blanks, '_', '-' or '.' between them, {LONGEST_NAME_BYTES} bytes at most; "
            f"known are {', '.join(kind)}."
        )
        raise ConfigError(argument, name, fix)
    known = {member.casefold(): member for member in kind}.get(name.casefold())
    if known is not None and known != name:
        raise ConfigError(argument, name, f"write {known.value!r}, or another name.")
    return name if known is None else known

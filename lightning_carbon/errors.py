"""Every error this package raises on purpose, in one tree.

::

    LightningCarbonError
    ├── ConfigError (ValueError)       an argument cannot be used; named with its value and the fix
    │   └── UnknownRegion              no such region in the packaged table; near matches are listed
    ├── UsageError (RuntimeError)      the calls came in an order that has no meaning
    ├── SourceError                    something about a sensor
    │   ├── SourceUnavailable          it cannot be used on this machine; says why and what would fix it
    │   ├── ReadFailed                 one reading failed; the meter will try again
    │   └── SourceLost                 it is gone for good; the meter will not ask again
    ├── LedgerError (OSError)          the ledger folder cannot be used
    ├── StudyError (RuntimeError)      a model could not be measured as the study does; says why and what would help
    └── RecordError (ValueError)       a stored record cannot be read
        └── NewerSchema                a later version of this package wrote it

Only errors of the first kind, and :class:`LedgerError` at start, ever reach a training script. Everything that happens
while a training runs is recorded and warned of once, unless ``strict=True`` asks for an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class LightningCarbonError(Exception):
    """The root: catch this to catch everything this package raises on purpose."""


class ConfigError(LightningCarbonError, ValueError):
    """An argument cannot be used.

    Args:
        argument: The name of the argument, as the user wrote it.
        value: What was given.
        fix: A sentence that tells what would work.
    """

    def __init__(self, argument: str, value: object, fix: str) -> None:
        super().__init__(argument, value, fix)
        self.argument = argument
        self.value = value
        self.fix = fix

    def __str__(self) -> str:
        """Name the argument, the value and the fix, in one line."""
        return f"{self.argument}={self.value!r} cannot be used: {self.fix}"

    def under(self, name: str) -> ConfigError:
        """The same error under another name, such as that of the environment variable that stood in for an argument."""
        return ConfigError(name, self.value, self.fix)


class UnknownRegion(ConfigError):
    """No such region in the packaged table of grid factors.

    Args:
        region: What was given.
        near: Codes and names that resemble it, best first.
        argument: The name of the argument, as the user wrote it.
    """

    def __init__(self, region: str, near: Sequence[str] = (), argument: str = "region") -> None:
        hint = f"did you mean {', '.join(near)}? " if near else ""
        super().__init__(
            argument,
            region,
            f"{hint}Give an ISO 3166 code (SE, USA) or WORLD, or a factor of your own with intensity=<gCO2e/kWh>.",
        )
        self.near = tuple(near)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what the constructor takes."""
        return (type(self), (self.value, self.near, self.argument))

    def under(self, name: str) -> UnknownRegion:
        """The same error under another name."""
        return UnknownRegion(str(self.value), self.near, name)


class UsageError(LightningCarbonError, RuntimeError):
    """The calls came in an order that has no meaning, such as a row before the start."""


class SourceError(LightningCarbonError):
    """Something about a sensor."""


class SourceUnavailable(SourceError):
    """A sensor cannot be used on this machine.

    Args:
        source: The name of the source, such as ``"nvml"``.
        reason: Why not, in a sentence.
        fix: What the user can do about it, or an empty string when nothing can be done.
    """

    def __init__(self, source: str, reason: str, fix: str = "") -> None:
        super().__init__(source, reason, fix)
        self.source = source
        self.reason = reason
        self.fix = fix

    def __str__(self) -> str:
        """Name the source, the reason and the fix, in one line."""
        return f"{self.source}: {self.reason}" + (f" ({self.fix})" if self.fix else "")


class ReadFailed(SourceError):
    """One reading failed; the meter tries again at the next tick."""


class SourceLost(SourceError):
    """A sensor is gone for good, such as a GPU that fell off the bus."""


class LedgerError(LightningCarbonError, OSError):
    """The ledger folder cannot be used."""


class StudyError(LightningCarbonError, RuntimeError):
    """A model could not be measured as the study did: its program failed, never metered itself, or was too short."""


class RecordError(LightningCarbonError, ValueError):
    """A stored record cannot be read."""


class NewerSchema(RecordError):
    """A stored record was written by a later version of this package, and is not read half."""

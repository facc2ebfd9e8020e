"""Every error this package raises on purpose, in one tree.

::

    LightningCarbonError
    ├── ConfigError (ValueError)       an argument cannot be used; named with its value and the fix
    │   └── UnknownRegion              no such place in the packaged tables; near matches are listed
    ├── UsageError (RuntimeError)      the calls came in an order that has no meaning
    ├── BudgetReached (RuntimeError)   the run has used up its budget, and ``on_budget`` says to stop
    ├── SourceError                    something about a sensor
    │   ├── SourceUnavailable          it cannot be used on this machine; says why and what would fix it
    │   ├── ReadFailed                 one reading failed; the meter will try again
    │   │   └── NoNews                 a gauge has nothing to show for now; the time is not covered
    │   └── SourceLost                 it is gone for good; the meter will not ask again
    ├── LedgerError (OSError)          the ledger folder cannot be used
    │   └── LedgerLost                 it cannot be written any more, while a run goes on
    ├── StudyError (RuntimeError)      a model could not be measured as the study does; says why and what would help
    └── RecordError (ValueError)       a stored record cannot be read
        └── NewerSchema                a later version of this package wrote it

Only a :class:`ConfigError` ever reaches a training script. Whatever goes wrong from the start of a training on is
recorded and warned of once, unless ``strict=True`` asks for an exception: a :class:`LedgerError` at the start, a
:class:`SourceLost` or a :class:`LedgerLost` later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class LightningCarbonError(Exception):
    """The root of the tree; catch it to catch everything that this package raises on purpose."""


class ConfigError(LightningCarbonError, ValueError):
    """An argument cannot be used.

    Code that knows where the value came from sets ``variable`` or ``option``, and the message then names that.

    Args:
        argument: The name of the argument, as in Python.
        value: The value given.
        fix: A sentence that says what would work.
        variable: The environment variable that held the value; empty for an argument or an option.
        option: The command-line option that held the value; empty for an argument or a variable.
    """

    def __init__(self, argument: str, value: object, fix: str, *, variable: str = "", option: str = "") -> None:
        super().__init__(argument, value, fix)
        self.argument = argument
        self.value = value
        self.fix = fix
        self.variable = variable
        self.option = option

    def __str__(self) -> str:
        """Name the argument, the value and the fix, as the user wrote them, in one line."""
        if not self.option:
            return f"{self.variable or self.argument}={self.value!r} cannot be used: {self.fix}"
        if self.value is None:
            return f"{self.option} is missing: {self.fix}"
        return f"{self.option}{'' if self.value is True else f' {self.value}'} cannot be used: {self.fix}"


class UnknownRegion(ConfigError):
    """No such place in the packaged tables of grid factors.

    Args:
        region: The region given.
        near: Codes and names that resemble it, best first.
    """

    def __init__(self, region: str, near: Sequence[str] = ()) -> None:
        hint = f"did you mean {', '.join(near)}? " if near else ""
        fix = (
            f"{hint}Give an ISO 3166 code (SE, USA), a country's name, a part of it (US-CA), a region of a cloud "
            "(aws:eu-north-1) or WORLD, or a factor of your own as intensity, in gCO2e/kWh."
        )
        super().__init__("region", region, fix)
        self.near = tuple(near)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the constructor's arguments and the attributes set afterwards."""
        return (type(self), (self.value, self.near), vars(self))


class UsageError(LightningCarbonError, RuntimeError):
    """The calls came in an order that has no meaning, such as a row before the start."""


class BudgetReached(LightningCarbonError, RuntimeError):
    """The run has used up its budget; raised by a meter outside a trainer whose ``on_budget`` says to stop."""


class SourceError(LightningCarbonError):
    """The root of what goes wrong with a sensor."""


class SourceUnavailable(SourceError):
    """A sensor cannot be used on this machine.

    Args:
        source: The name of the source, such as ``"nvml"``.
        reason: Why it cannot be used, in a sentence.
        fix: What the user can do about it; empty when nothing can be done.
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


class NoNews(ReadFailed):
    """A power gauge has nothing to show for now and may have later; the time is not covered, and it is asked on."""


class SourceLost(SourceError):
    """A sensor is gone for good, such as a GPU that fell off the bus."""


class LedgerError(LightningCarbonError, OSError):
    """The ledger folder cannot be used."""


class LedgerLost(LedgerError):
    """The ledger cannot be written while a run goes on; raised with ``strict=True`` alone."""


class StudyError(LightningCarbonError, RuntimeError):
    """A model could not be measured as the study did: its program failed, never metered itself, or was too short."""


class RecordError(LightningCarbonError, ValueError):
    """A stored record cannot be read."""


class NewerSchema(RecordError):
    """A later version of this package wrote the record, which is not read in part."""

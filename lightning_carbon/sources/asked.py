"""The energy that a maker's library counts, and the answers of libraries that may raise anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lightning_carbon.errors import ReadFailed
from lightning_carbon.units import MICROJOULES_PER_MILLIJOULE, Energy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Sensor

_T = TypeVar("_T")


def answer_of(library: str, question: Callable[[], _T]) -> _T:
    """The answer to a question.

    Args:
        library: The name of the library that is asked.
        question: Asks it.

    Raises:
        ReadFailed: The library has raised something, and the error says what.
    """
    try:
        return question()
    except Exception as error:  # a library in another language, over a driver, may raise anything
        raise ReadFailed(f"{library}: {error}") from error


class LibraryCounter:
    """The energy that a library counts; an :class:`~lightning_carbon.ports.EnergyCounter`.

    Args:
        sensor: What it covers.
        library: The name of the library.
        count: Gives the count, in millijoules; may raise anything.
    """

    def __init__(self, sensor: Sensor, library: str, count: Callable[[], float]) -> None:
        self._sensor = sensor
        self._library = library
        self._count = count

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """Read the count.

        Raises:
            ReadFailed: The library has no count this time.
        """
        return answer_of(self._library, lambda: Energy(round(self._count() * MICROJOULES_PER_MILLIJOULE)))

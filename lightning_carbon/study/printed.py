"""Printed figures, whose last digit shows how exact they are."""

from __future__ import annotations

import re
from decimal import Decimal

from lightning_carbon.units import KILO
from lightning_carbon.values import dataclass

_FORM = re.compile(r"(\d+(?:\.\d+)?)(k?)")


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure as it was printed.

    Args:
        text: Digits, with a point or a ``k`` for thousands where it was printed so, such as ``"1507"``, ``"284.02"``
            or ``"103k"``.

    Raises:
        ValueError: That is no such figure.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse texts that are no figures."""
        if not _FORM.fullmatch(self.text):
            message = f"{self.text!r} is no printed figure"
            raise ValueError(message)

    @property
    def value(self) -> float:
        """The number that was printed."""
        return float(self._exact)

    @property
    def number(self) -> int | float:
        """The same, whole where it was printed whole."""
        return int(self._exact) if self._unit >= 1 else self.value

    @property
    def unit(self) -> float:
        """The value of a unit in its last digit: 1 for ``1507``, 0.01 for ``284.02``, 1000 for ``103k``."""
        return float(self._unit)

    def closes(self, computed: float | None) -> bool:
        """Whether a computed figure, rounded to the printed digits, equals the printed figure.

        A figure exactly between two printable figures may have been rounded to either.

        Args:
            computed: The figure; ``None`` where it could not be computed, which never closes.
        """
        # Decimal, since 0.005 has no exact float and a tie has to be one.
        return computed is not None and abs(Decimal(str(computed)) - self._exact) <= self._unit / 2

    @property
    def _exact(self) -> Decimal:
        digits, thousands = self._parts
        return Decimal(digits) * (KILO if thousands else 1)

    @property
    def _unit(self) -> Decimal:
        digits, thousands = self._parts
        return Decimal(1).scaleb(-len(digits.partition(".")[2])) * (KILO if thousands else 1)

    @property
    def _parts(self) -> tuple[str, str]:
        match = _FORM.fullmatch(self.text)
        assert match is not None  # noqa: S101 - checked when it was made
        return match[1], match[2]

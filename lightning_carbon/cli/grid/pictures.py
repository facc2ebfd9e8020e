"""Writing the figures of ``grid``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure


def save(draw: Callable[[], Figure], path: Path, argument: str) -> None:
    """Draw a figure into a file.

    Args:
        draw: Makes the figure.
        path: The file; its ending says the format.
        argument: The name of the argument that holds the path, for errors.

    Raises:
        ConfigError: There is no matplotlib, or the file cannot be written, or not in that format.
    """
    try:
        figure = draw()
    except ImportError:
        fix = "a figure needs matplotlib: pip install 'lightning-carbon[report]'."
        raise ConfigError(argument, str(path), fix) from None
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(argument, str(path), f"{reason}; give a file such as out.png or out.pdf.") from None

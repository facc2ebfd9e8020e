"""The check of ``intensity``: a number, or the file of a series over time."""

from __future__ import annotations

import os
from typing import Final, NoReturn

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.carbon.series import IntensitySeries
from lightning_carbon.errors import ConfigError
from lightning_carbon.settings.grid_checks import check_intensity

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".parquet")
"""The endings of a file with a series."""


def check_intensity_or_series(given: object) -> Intensity | IntensitySeries | None:
    """Check ``intensity``; ``None`` where it is not given.

    A text that ends like a file is the path of a series, which is read here and now; everything else is a number.

    Raises:
        ConfigError: It is neither, or the file cannot be read or cannot be right.
    """
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str) and given.strip().lower().endswith(SUFFIXES):
        from lightning_carbon.grid.series import read_series  # csv and the layouts are for those alone who have a file

        return read_series(given)
    return check_intensity(given)


def refuse_series(given: object) -> NoReturn:
    """Refuse a series where nothing has a time.

    Raises:
        ConfigError: Always.
    """
    fix = "a series prices a run while it is metered; give a number here, or ask `lightning-carbon grid what-if`."
    raise ConfigError("intensity", given, fix)

"""Options that several commands have; their defaults, and what they mean, are those of ``lightning_carbon.Meter``."""

from __future__ import annotations

from typing import Annotated

import typer

RegionOption = Annotated[
    str | None,
    typer.Option(
        metavar="CODE", help="Where the electricity is used: ISO 3166 (SE, USA) or WORLD.", show_default=False
    ),
]
IntensityOption = Annotated[
    float | None,
    typer.Option(metavar="GRAMS", help="gCO2e/kWh, instead of the region's yearly average.", show_default=False),
]
PueOption = Annotated[
    float | None,
    typer.Option(metavar="RATIO", help="The site's energy over its computers' energy, from 1.0.", show_default=False),
]
LedgerOption = Annotated[str | None, typer.Option(metavar="FOLDER", help="The folder of all runs.", show_default=False)]
ProjectOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only the runs of this project.", show_default=False)
]

"""Power usage effectiveness of a data centre (ISO/IEC 30134-2:2016): its energy for each unit of its computers' energy.

References:
    Uptime Institute, *Global Data Center Survey 2025*: the operators asked average 1.54, and have stayed between 1.5
    and 1.6 since 2018 (https://uptimeinstitute.com/resources/research-and-reports).
    A. Lawrence, *Which regions have the most energy efficient data centers?*, Uptime Institute Journal, 24 August 2020
    (https://journal.uptimeinstitute.com/datacenter-energy-efficiency-by-region/): answers between 1.0 and 2.19 were
    kept, the others set aside as extreme or partial; regions average 1.46 (Europe) to 1.79 (Middle East and Africa).
"""

from __future__ import annotations

from lightning_carbon.carbon.intensity import PowerUsage

GIVEN = "given"

WORLD_AVERAGE = PowerUsage(
    value=1.54,
    low=1.0,  # a computer under a desk, or waste heat that needs no removal
    high=2.19,  # the greatest that Uptime's survey of 2020 still took for an ordinary site
    source="Uptime Institute, Global Data Center Survey 2025",
    assumed=True,
)


def pue_of(pue: float | None) -> PowerUsage:
    """Take the power usage effectiveness that the user gave, or the world's average.

    Args:
        pue: The site's own figure, at least 1; ``None`` where it is not known.

    Returns:
        The given figure, exactly, or :data:`WORLD_AVERAGE`, marked as assumed.
    """
    if pue is None:
        return WORLD_AVERAGE
    value = float(pue)
    return PowerUsage(value=value, low=value, high=value, source=GIVEN, assumed=False)

"""Power usage effectiveness of a data centre (ISO/IEC 30134-2:2016): its energy for each unit of its computers' energy.

What clouds publish is the mean of all their sites, so the figure of a site stays assumed. Its range runs from their
best site, or the newest, to the average of public clouds.

References:
    Uptime Institute, *Global Data Center Survey 2025*: the operators asked average 1.54, and have stayed between 1.5
    and 1.6 since 2018 (https://uptimeinstitute.com/resources/research-and-reports).
    A. Lawrence, *Which regions have the most energy efficient data centers?*, Uptime Institute Journal, 24 August 2020
    (https://journal.uptimeinstitute.com/datacenter-energy-efficiency-by-region/): answers between 1.0 and 2.19 were
    kept, the others set aside as extreme or partial; regions average 1.46 (Europe) to 1.79 (Middle East and Africa).
    Amazon, *AWS Cloud* (https://sustainability.aboutamazon.com/environment/the-cloud): 1.14 in 2025 over all sites;
    1.04 at the best in 2024; IDC's estimate for public clouds, quoted there: 1.25 (January 2025).
    Datacenter Dynamics, *AWS global data centers achieved PUE of 1.15 in 2023*, December 2024, on what the others
    publish: Google about 1.1 over all sites, 1.06 at the best; Microsoft 1.18 over all sites, 1.12 at the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import GIVEN, PowerUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

WORLD_AVERAGE = PowerUsage(
    value=1.54,
    low=1.0,  # a computer under a desk, or waste heat that needs no removal
    high=2.19,  # the greatest that Uptime's survey of 2020 still took for an ordinary site
    source="Uptime Institute, Global Data Center Survey 2025",
    assumed=True,
)


_PUBLIC_CLOUDS: Final = 1.25
_CLOUDS: Final[Mapping[str, PowerUsage]] = {
    "aws": PowerUsage(1.14, 1.04, _PUBLIC_CLOUDS, "AWS, mean of its sites, 2025", assumed=True),
    "azure": PowerUsage(1.18, 1.12, _PUBLIC_CLOUDS, "Microsoft, mean of its sites, 2024", assumed=True),
    "gcp": PowerUsage(1.1, 1.06, _PUBLIC_CLOUDS, "Google, mean of its sites, 2024", assumed=True),
}


def pue_of_cloud(region: str | None) -> PowerUsage | None:
    """The figure that a cloud publishes, for a region such as ``"aws:eu-north-1"``; ``None`` for other places."""
    cloud, sign, _ = (region or "").lower().partition(":")
    cloud = {"amazon": "aws", "google": "gcp"}.get(cloud, cloud)
    return _CLOUDS.get(cloud) if sign else None


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

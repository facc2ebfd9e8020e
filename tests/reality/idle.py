"""What idle GPUs draw of their power limit, by ``nvidia-smi`` on real nodes.

The captures are those of NVIDIA/k8s-test-infra (Apache-2.0) at 3b2b865 (2026), in
``tests/e2e/go/assertions/nvidiasmi/testdata/hardware``: no process, nothing in memory, at full clocks (P0).
``LIGHTNING_CARBON_TRACES`` names a folder that has them, or some of them, in ``nvidia-smi/``; the figures of all are in
``idle.csv``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIGURES: Final = Path(__file__).with_name("idle.csv")
BEGIN: Final = "<!-- idle: written by make reality -->\n"
END: Final = "<!-- end of idle -->\n"
HEAD: Final = ("capture", "gpu", "gpus", "driver", "idle_watts", "limit_watts")


def committed() -> list[dict[str, str]]:
    """The rows of ``idle.csv``."""
    with FIGURES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def captured(folder: Path) -> Iterator[dict[str, str]]:
    """The row of each capture in a folder.

    Args:
        folder: The folder with ``qx-*.xml``.
    """
    for path in sorted(folder.glob("qx-*.xml")):
        log = ET.parse(path).getroot()  # noqa: S314 - a file that whoever runs this has put there
        gpus = log.findall("gpu")
        idle = fmean(_watts(gpu, "instant_power_draw") for gpu in gpus)
        limit = fmean(_watts(gpu, "current_power_limit") for gpu in gpus)
        named = gpus[0].findtext("product_name", "").removeprefix("NVIDIA ").removeprefix("Tesla ")
        figures = (path.name, named, len(gpus), log.findtext("driver_version", ""), f"{idle:.2f}", f"{limit:.0f}")
        yield dict(zip(HEAD, map(str, figures), strict=True))


def share_of(rows: Iterable[dict[str, str]]) -> float:
    """The share of its limit that a GPU of the median model draws, idle."""
    return median(float(row["idle_watts"]) / float(row["limit_watts"]) for row in rows)


def table_of(rows: Iterable[dict[str, str]]) -> str:
    """The figures as a table in Markdown."""
    known = list(rows)
    lines = [
        f"| {row['gpu']} | {row['gpus']} | {row['driver']} | "
        f"{float(row['idle_watts']):.0f} of {row['limit_watts']} W | {100 * share_of([row]):.0f} % |"
        for row in known
    ]
    head = ["| GPU | GPUs | driver | idle, of the power limit | share |", "|---|---:|---|---:|---:|"]
    return "\n".join([*head, *lines]) + f"\n\nThe median is {share_of(known):.3f}."


def with_table(page: str, rows: Iterable[dict[str, str]]) -> str:
    """A page with the table between its marks.

    Args:
        page: The text of the page.
        rows: The figures.
    """
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table_of(rows)}\n\n{END}{after}"


def _watts(gpu: ET.Element, name: str) -> float:
    return float(gpu.findtext(f"gpu_power_readings/{name}", "").removesuffix(" W"))

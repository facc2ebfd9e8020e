"""The doctor's report, as JSON and for people."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lightning_carbon.cli.doctor.render import show
from lightning_carbon.cli.doctor.report import (
    DevicesReport,
    LedgerReport,
    MachineReport,
    PueReport,
    RegionReport,
    Report,
    SourceReport,
    SourceVerdict,
)
from lightning_carbon.sources.nvml import Device

GOLDEN = Path(__file__).parent / "data"
FIX = "sudo find /sys/devices/virtual/powercap -name '*energy*_uj' -exec chmod a+r {} +  # until the next boot"

KEYS = {
    place: keys.split()
    for place, keys in {
        "": "schema usable seconds sources devices region pue machine ledger versions",
        "devices": "setting from cuda_visible_devices cuda_device_order remark trouble found",
        "region": "region from assumed grams_co2e_per_kilowatt_hour low high year source",
        "pue": "value from assumed low high source",
        "machine": "machine from assumed boundary reason source measured_by constant_watts constant_low_watts "
        "constant_high_watts share share_low share_high portion",
        "ledger": "folder from writable trouble",
        "sources[]": "source subject verdict reason fix domain kind name parent provenance method uncertainty_ratio "
        "accuracy port readings failed_readings moves tick_seconds tick_is_upper_bound read_seconds watts condition",
        "devices.found[]": "kind index name uuid cuda_index metered trouble",
    }.items()
}


def gpu(index: int) -> SourceReport:
    """A GPU with a counter."""
    uuid = f"GPU-{index}a5e1e00-c0de-4b1d-9e1f-00000000000{index}"
    return SourceReport(
        source="nvml",
        subject=f"GPU {index} NVIDIA H100 80GB HBM3 {uuid}",
        verdict=SourceVerdict.USABLE,
        domain=f"gpu:{uuid}",
        kind="gpu",
        name="NVIDIA H100 80GB HBM3",
        provenance="counter",
        method="nvmlDeviceGetTotalEnergyConsumption",
        uncertainty_ratio=0.05,
        port="counter",
        readings=480,
        moves=10,
        tick_seconds=0.1,
        read_seconds=2.1e-5,
        watts=312.4,
    )


STILL = replace(
    gpu(2), source="rapl", subject="CPU package 0", verdict=SourceVerdict.STILL, moves=0, tick_seconds=None, watts=None
)
CLOSED = SourceReport("rapl", "memory of package 0", SourceVerdict.UNUSABLE, "energy_uj is readable by root only", FIX)
MODELLED = replace(
    STILL,
    source="host_model",
    subject="memory",
    verdict=SourceVerdict.USABLE,
    provenance="modelled",
    uncertainty_ratio=0.8,
)
REPORT = Report(
    seconds=1.0,
    sources=(gpu(0), gpu(1), STILL, CLOSED, MODELLED),
    devices=DevicesReport(
        setting="auto",
        from_="default",
        cuda_visible_devices="1,0",
        cuda_device_order=None,
        remark="",
        trouble="",
        found=(
            Device("gpu", 0, "NVIDIA H100 80GB HBM3", "GPU-0a5e1e00-c0de-4b1d-9e1f-000000000000", 1, metered=True),
            Device("gpu", 1, "NVIDIA H100 80GB HBM3", "GPU-1a5e1e00-c0de-4b1d-9e1f-000000000001", 0, metered=True),
            Device("gpu", 2, "NVIDIA H100 80GB HBM3", "GPU-2a5e1e00-c0de-4b1d-9e1f-000000000002", None, metered=False),
        ),
    ),
    region=RegionReport("SWE", "--region", False, 35.1, 33.0, 36.6, 2025, "Ember"),  # noqa: FBT003
    pue=PueReport(1.54, "assumed", True, 1.0, 2.19, "Uptime Institute"),  # noqa: FBT003
    machine=MachineReport(
        machine="desktop",
        from_="assumed",
        assumed=True,
        boundary="machine",
        measured_by=None,
        constant_watts=50.0,
        constant_low_watts=20.0,
        constant_high_watts=90.0,
        share=0.15,
        share_low=0.08,
        share_high=0.25,
        portion=0.5,
        reason="chassis of type 3, 1 × NVIDIA GeForce RTX 4090",
        source="a study of 2025",
    ),
    ledger=LedgerReport("/home/lisa/.local/share/lightning-carbon/ledger", "default", True, ""),  # noqa: FBT003
    versions={"lightning-carbon": "0.1.0", "python": "3.11.7", "system": "Linux 6.1.0 x86_64", "psutil": "7.2.2"},
)


def shown(report: Report, width: int) -> str:
    """The report for people, as a terminal of that width shows it, without trailing blanks."""
    file = io.StringIO()
    show(report, Console(file=file, width=width, no_color=True, highlight=False, force_terminal=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_reads_as_it_was_looked_at(width: int) -> None:
    """Tables, reasons and fixes at the two usual widths."""
    assert (GOLDEN / f"doctor-{width}.txt").read_text() == shown(REPORT, width)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_but_a_fix_is_wider_than_the_terminal(width: int) -> None:
    """What is to be copied stays on one line; all else is wrapped."""
    lines = shown(REPORT, width).splitlines()

    assert [f"  fix: {FIX}"] == [line for line in lines if "fix: " in line]
    assert all(len(line) <= width for line in lines if "fix: " not in line)


def test_words_in_brackets_are_shown_as_they_are() -> None:
    """Nothing of a driver's or a user's text is taken for markup."""
    report = replace(REPORT, sources=(replace(CLOSED, reason="[bold]errno[/] 13", fix="give [0, 1]"),))

    assert "[bold]errno[/] 13" in shown(report, 80)
    assert "give [0, 1]" in shown(report, 80)


def test_a_ledger_that_cannot_be_written_is_told() -> None:
    """The folder stays in view, with what is wrong with it."""
    report = replace(REPORT, ledger=replace(REPORT.ledger, writable=False, trouble="it is no folder"))

    assert "not writable: it is no folder" in shown(report, 80)


@pytest.mark.parametrize(
    ("sources", "first"),
    [
        ((gpu(0), gpu(1), MODELLED), "Sources of energy: 2 measured, 1 modelled"),
        ((MODELLED, CLOSED), "Sources of energy: 1 modelled, 1 not usable"),
        ((STILL,), "Sources of energy: 1 standing still"),
        ((CLOSED,), "Nothing can be metered on this machine."),
        ((), "Nothing can be metered on this machine."),
    ],
)
def test_the_first_line_says_it_all(sources: tuple[SourceReport, ...], first: str) -> None:
    """Measured and modelled are never counted together."""
    assert first == shown(replace(REPORT, sources=sources), 80).splitlines()[0]


def test_the_json_has_the_keys_that_are_promised() -> None:
    """Programs may rely on them: the list is edited when one is added, and none goes."""
    whole = json.loads(REPORT.as_json())

    assert KEYS == {
        "": list(whole),
        **{name: list(whole[name]) for name in ("devices", "region", "pue", "machine", "ledger")},
        "sources[]": list(whole["sources"][0]),
        "devices.found[]": list(whole["devices"]["found"][0]),
    }
    assert (1, True) == (whole["schema"], whole["usable"])


def test_what_is_not_known_is_null_in_the_json() -> None:
    """No zero stands for a power that nobody saw."""
    sources = json.loads(REPORT.as_json())["sources"]

    assert [312.4, 312.4, None, None, None] == [source["watts"] for source in sources]
    assert [0.1, 0.1, None, None, None] == [source["tick_seconds"] for source in sources]


def test_a_machine_without_a_usable_source_says_so() -> None:
    """What stands still can be read; what is closed or failing cannot."""
    failing = replace(gpu(0), verdict=SourceVerdict.FAILING)

    assert [True, True, False, False] == [
        replace(REPORT, sources=sources).usable for sources in [(gpu(0), CLOSED), (STILL,), (CLOSED, failing), ()]
    ]

"""Records that tests of records, summaries and frozen names share."""

from __future__ import annotations

from dataclasses import replace

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.interval import Interval
from lightning_carbon.grid.machines import MACHINES
from lightning_carbon.ports import Finding
from lightning_carbon.records.budget_record import BudgetRecord
from lightning_carbon.records.conditions import DeviceRecord, GaugeRecord
from lightning_carbon.records.machine_record import HostMachine, MachineRecord
from lightning_carbon.records.model_size import ModelSize
from lightning_carbon.records.module_table import ModuleRecord, ModulesRecord
from lightning_carbon.records.overlaps import Overlap
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RankRecord,
    RunRecord,
)
from lightning_carbon.records.totals import Attempt, Totals
from lightning_carbon.records.trial import SweepTrial
from lightning_carbon.records.waste import Waste

WORLD = Intensity(
    473.2, 20.5, 1_100.0, "Ember via Our World in Data", 2024, "life-cycle, generation", "WORLD", assumed=True
)
GIVEN_GRID = Intensity(12.0, 12.0, 12.0, "given", None, "as given", "custom", assumed=False)
SURVEY = PowerUsage(1.54, 1.0, 2.19, "Uptime Institute, Global Data Center Survey 2025", assumed=True)
GIVEN_PUE = PowerUsage(1.1, 1.1, 1.1, "given", assumed=False)

ROOT_ONLY = "energy_uj is readable by root only, as Linux does since 5.10 (CVE-2020-8694)"
MADE_READABLE = "sudo chmod a+r /sys/class/powercap/intel-rapl:0/energy_uj"

MODEL = replace(MACHINES["workstation"], portion=0.5, reason="a tower")

FULL = RunRecord(
    schema=SCHEMA,
    run_id="20261121T101112-3fa2",
    project="lisa",
    run_name="baseline",
    status="completed",
    started_at="2026-11-21T10:11:12Z",
    ended_at="2026-11-21T10:12:40Z",
    duration_seconds=88.2,
    steps=1_200,
    samples=38_400,
    tokens=1_228_800,
    phase_seconds={"setup": 4.1, "train": 80.0, "validate": 4.1},
    step_joules=12_345.6,
    host={"name": "node-7", "system": "Linux", "processors": 64, "torch": None},
    energy=EnergyRecord(
        total_joules=13_545.7,
        measured_joules=12_000.5,
        modelled_joules=1_545.2,
        low_joules=12_173.2,
        high_joules=14_918.2,
        coverage_ratio=0.76,
        domains=(
            DomainRecord(
                "gpu:GPU-1",
                "gpu",
                "NVIDIA H100 80GB HBM3",
                12_000.5,
                "counter",
                0.9995,
                0.05,
                "NVML",
                device=DeviceRecord(
                    {
                        "temperature_celsius": GaugeRecord(71.0, 64.5),
                        "sm_clock_megahertz": GaugeRecord(1_980.0, 1_755.0),
                    },
                    0.25,
                    {"power_cap": 0.25},
                    86.0,
                ),
            ),
            DomainRecord(
                "package:0",
                "package",
                "AMD EPYC 9654 96-Core Processor, the long name",
                1_545.2,
                "modelled",
                0.52,
                0.5,
                "360 W at full load, scaled by what this process tree used of the processor's time",
                lost="its process table could not be read any more",
            ),
            DomainRecord(
                "dram:0", "dram", "DRAM", 100.2, "modelled", 1.0, 0.5, "0.37 W for each GB in use", "package:0"
            ),
        ),
        phases={"setup": 300.1, "train": 12_745.6, "validate": 500.0},
        absent=(
            Finding("rapl", "package 0", reason=ROOT_ONLY, fix=MADE_READABLE),
            Finding("rapl", "package 1", reason=ROOT_ONLY, fix=MADE_READABLE),
        ),
        interval=Interval(12_700.0, 14_400.0, 0.9, "Monte Carlo", 2_000, 2019, {"gpu H100": (845.7, 854.3)}),
    ),
    carbon=CarbonRecord(
        3.404,
        0.0761,
        12.9,
        WORLD,
        SURVEY,
        "machine",
        interval=Interval(0.21, 8.12, 0.9, "Monte Carlo", 2_000, 2019, {"grid WORLD": (3.194, 4.716)}),
    ),
    world_size=2,
    ranks=(
        RankRecord(
            0, "node-7", ["gpu:GPU-1", "package:0", "dram:0"], 13_545.7, 153.6, 1_200, 88.2, "completed", "device"
        ),
        RankRecord(1, "node-7", [], 0.0, None, 1_200, 88.0, "completed", "mixed", "RuntimeError: device not ready"),
    ),
    origin="20261121T090000-11aa",
    attempts=(
        Attempt("20261121T090000-11aa", None, Totals(5_000_000_000, 1.012), "interrupted"),
        Attempt("20261121T101112-3fa2", None, Totals(13_545_700_000, 2.742), "completed"),
    ),
    lineage=Totals(17_545_700_000, 3.552, 1_500),
    waste=(Waste("heat", 3_100.0, 0.23, 20.0, "look at fans, dust, and the air or water"),),
    spent=Totals(18_545_700_000, 3.754, 1_650),
    location="/home/lisa/.local/share/lightning-carbon/20261121T101112-3fa2/record.json",
    overlaps=(Overlap("20261121T101130-77cd", "bart", ["NVIDIA H100 80GB HBM3"], 18.0, 40.0, 5_442.4),),
    machine=MachineRecord(
        16_815.2,
        13_373.2,
        19_318.2,
        3_269.5,
        1_200.0,
        4_400.0,
        (HostMachine("node-7", 16_815.2, 13_373.2, 19_318.2, 3_269.5, "modelled", MODEL.method, 0.0, MODEL),),
        Interval(
            15_100.0,
            18_500.0,
            0.9,
            "Monte Carlo",
            2_000,
            2019,
            {"gpu H100": (1_000.0, 1_000.0), "own": (1_393.5, 1_355.9)},
        ),
    ),
    budget=BudgetRecord("4 g", 0.851),
    modules=ModulesRecord(
        "Translator",
        96,
        (
            ModuleRecord("backward", "transformer.decoder", 5_000.4, 4_700.0, 5_300.0, 0.0211),
            ModuleRecord("forward", "transformer.decoder", 2_600.1, 2_400.0, 2_800.0, 0.0108),
            ModuleRecord("backward", "", 2_445.1, 2_300.0, 2_600.0, 0.0095),
            ModuleRecord("forward", "embedding", 1_300.0, 1_100.0, 1_500.0, 0.0074),
            ModuleRecord("optimizer", "", 800.0, 700.0, 900.0, 0.0051),
            ModuleRecord("rest", "", 200.0, 100.0, 300.0, 0.0101),
        ),
    ),
    trial=SweepTrial("rates", 7, None, "complete", 0.31, "val_loss", "minimize", {"lr": 0.001}),
    model=ModelSize(124_734_720, 294_912),
)
"""A run with everything in it."""

SMALL = RunRecord(
    schema=SCHEMA,
    run_id="20261122T080000-0001",
    project="lisa",
    run_name=None,
    status="running",
    started_at="2026-11-22T08:00:00Z",
    ended_at=None,
    duration_seconds=0.25,
    steps=1,
    samples=None,
    tokens=0,
    phase_seconds={"train": 0.25},
    step_joules=0.84,
    host={},
    energy=EnergyRecord(
        total_joules=0.845,
        measured_joules=0.845,
        modelled_joules=0.0,
        low_joules=0.845,
        high_joules=0.845,
        coverage_ratio=1.0,
        domains=(
            DomainRecord("psys:0", "psys", "platform", 0.845, "counter", 1.0, 0.0, "RAPL"),
            DomainRecord("gpu:0", "gpu", "GPU 0", 0.0, "counter", 0.0, 0.05, "NVML"),
        ),
        phases={"train": 0.845},
    ),
    carbon=CarbonRecord(3.1e-6, 3.1e-6, 3.1e-6, GIVEN_GRID, GIVEN_PUE),
)
"""A run of a moment, on a site that is known."""

NOTHING = RunRecord(
    schema=SCHEMA,
    run_id="20261123T080000-0002",
    project="lisa",
    run_name=None,
    status="interrupted",
    started_at="2026-11-23T08:00:00Z",
    ended_at="2026-11-23T09:05:00Z",
    duration_seconds=3_900.0,
    steps=0,
    samples=None,
    tokens=None,
    phase_seconds={},
    step_joules=None,
    host={},
    energy=EnergyRecord(
        total_joules=None,
        measured_joules=0.0,
        modelled_joules=0.0,
        low_joules=0.0,
        high_joules=0.0,
        coverage_ratio=0.0,
        domains=(),
        phases={},
        absent=(Finding("nvml", "all GPUs", reason="libnvidia-ml.so.1 is not there: no NVIDIA driver"),),
    ),
    carbon=CarbonRecord(None, None, None, WORLD, GIVEN_PUE),
)
"""A run that nothing could be measured of."""

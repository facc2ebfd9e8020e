"""Accelerators of which the kernel shows no power: by their maker's library, else by rating, and never nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ReadFailed
from lightning_carbon.grid.ratings import rating_of, rating_of_family
from lightning_carbon.ports import EnergyCounter, PowerGauge
from lightning_carbon.sources.accelerators import likely
from lightning_carbon.sources.attached import discover, only_in_use
from lightning_carbon.sources.rated import Surroundings, kind_of, modelled
from lightning_carbon.units import Energy
from tests.makers.libraries import Apple, Card, Gaudi


def missing(name: str) -> object:
    """No library of a maker is installed."""
    raise ModuleNotFoundError(name)


@pytest.fixture
def bare(tmp_path: Path) -> Surroundings:
    """A machine that tells nothing."""
    return Surroundings({}, tmp_path, "linux", {}, missing, str)


def neuron_file(root: Path, text: str, index: int = 0) -> Path:
    """What Neuron's driver shows of a part's power."""
    path = root / f"sys/devices/virtual/neuron_device/neuron{index}/stats/power/utilization"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("environ", "name", "watts", "ends"),
    [
        ({"TPU_ACCELERATOR_TYPE": "v4-8"}, "TPU v4", 192 * 0.86, (192 * 0.05, 192.0)),
        ({"TPU_ACCELERATOR_TYPE": "v3-8"}, "TPU v3", 450 * 0.47, (450 * 0.05, 450 * 0.72)),
        ({"TPU_ACCELERATOR_TYPE": "v5p-8"}, "TPU v5p", (192 * 450) ** 0.5 * 0.86, (192 * 0.05, 450.0)),
        ({"TPU_ACCELERATOR_TYPE": "v5litepod-8"}, "TPU v5e", (192 * 450) ** 0.5 * 0.86, (192 * 0.05, 450.0)),
        ({}, "TPU", (192 * 450) ** 0.5 * 0.86, (192 * 0.05, 450.0)),
    ],
)
def test_a_tpu_is_modelled_by_its_generation(
    bare: Surroundings, environ: dict[str, str], name: str, watts: float, ends: tuple[float, float]
) -> None:
    """By its rating where Google gives it, else between those of other generations, and the range says so."""
    finding = modelled("xla", 2, replace(bare, environ=environ))
    assert finding is not None
    assert isinstance(finding.port, PowerGauge)
    sensor = finding.port.sensor
    assert sensor.accuracy is not None

    assert (f"{name} (modelled)", "gpu:xla:2") == (sensor.domain.name, sensor.domain.id)
    assert (Kind.GPU, Provenance.MODELLED) == (sensor.domain.kind, sensor.provenance)
    assert watts == pytest.approx(finding.port.read_power().watts)
    assert ends == pytest.approx((watts * (1 - sensor.accuracy.below_ratio), watts * (1 + sensor.accuracy.above_ratio)))
    assert finding.reason.startswith("modelled, ")


def test_a_trainium_shows_its_share_of_its_power(bare: Surroundings) -> None:
    """Its rating, which nobody publishes, times the mean share of a minute; a share that is gone is a failure."""
    product = bare.root / "sys/class/dmi/id/product_name"
    product.parent.mkdir(parents=True)
    product.write_text("trn2.48xlarge\n", "utf-8")
    path = neuron_file(bare.root, "POWER_STATUS_VALID,1781370720,1.50,90.00,50.00\n", 3)
    finding = modelled("neuron", 3, bare)
    family = rating_of_family("Trainium2", "TPU", "Gaudi")
    assert finding is not None
    assert family is not None
    assert isinstance(finding.port, PowerGauge)

    assert (family.low_watts * family.high_watts) ** 0.5 / 2 == pytest.approx(finding.port.read_power().watts)
    assert "Trainium2 (modelled)" == finding.port.sensor.domain.name

    path.write_text("POWER_STATUS_NO_DATA,0,0.00,0.00,0.00\n", "utf-8")
    with pytest.raises(ReadFailed, match="no share"):
        finding.port.read_power()


@pytest.mark.parametrize("text", ["", "POWER_STATUS_VALID,1,2,3", "POWER_STATUS_VALID,1,2,3,nan", "a\0b", "x" * 9999])
def test_a_share_that_cannot_be_read_is_no_share(bare: Surroundings, text: str) -> None:
    """The part is then modelled as others are."""
    neuron_file(bare.root, text)
    finding = modelled("neuron", 0, bare)
    assert finding is not None

    assert "what trainings take of it" in finding.reason


@pytest.mark.parametrize(("name", "shown"), [("Apple M2 Max", "M2 Max"), ("Apple M4", "M4"), ("", "Apple GPU")])
def test_a_mac_without_its_library_is_modelled(bare: Surroundings, name: str, shown: str) -> None:
    """By what Apple says of a Mac with that processor, else between those of other Macs; the fix is the extra."""
    missing_library, model = discover("mps", around=replace(bare, platform="darwin", processor=lambda: name))[0]

    assert "pip install 'lightning-carbon[apple]'" == missing_library.fix
    assert model.port is not None
    assert f"{shown} (modelled)" == model.port.sensor.domain.name


def test_a_mac_with_its_library_is_metered(bare: Surroundings) -> None:
    """The GPU with its memory cells and the neural engine, and the processor and its memory beside it."""
    apple = Apple(gpu_sram_mj=30, ane_mj=4)
    found, sockets = discover("mps", around=replace(bare, platform="darwin", load=apple.load))
    counts = {
        finding.port.sensor.domain.id: finding.port.read_energy()
        for finding in [*found, *sockets]
        if isinstance(finding.port, EnergyCounter)
    }

    assert {
        "gpu:apple": Energy(2_034_000),
        "package:apple": Energy(1_000_000),
        "dram:apple": Energy(500_000),
    } == counts
    assert [] == [finding for finding in found if finding.source == "rated"]


def test_a_mac_that_trains_on_its_cores_has_them_metered(bare: Surroundings) -> None:
    """The GPU is then left out, and on a rank that is not the host's first, all is."""
    here = replace(bare, platform="darwin", load=Apple(dram_mj=None).load)
    found, sockets = discover("cpu", around=here)

    assert ([], ["Apple CPU"]) == (found, [finding.subject for finding in sockets if finding.port is not None])
    assert ([], []) == discover("cpu", around=here, host=False)


def test_a_library_that_breaks_costs_its_counts_alone(bare: Surroundings) -> None:
    """At the start the model stands in; in mid-run a reading fails."""
    apple = Apple()
    [gpu, *_] = discover("mps", around=replace(bare, platform="darwin", load=apple.load))[0]
    apple.error = RuntimeError("no channel")
    assert isinstance(gpu.port, EnergyCounter)

    broken, model = discover("mps", around=replace(bare, platform="darwin", load=apple.load))[0]
    assert ("zeus_apple_silicon: no channel", "rated") == (broken.reason, model.source)


@pytest.mark.parametrize(("devices", "ids"), [("auto", [0]), ((), [0]), ((1,), [1]), ((0, 1), [0, 1])])
def test_a_gaudi_is_metered_by_its_library(
    bare: Surroundings, devices: tuple[int, ...] | Literal["auto"], ids: list[int]
) -> None:
    """A card for each rank, by its number, or several; by its counter, with its power behind it."""
    found, _ = discover("hpu", devices, replace(bare, load=Gaudi().load))

    assert [f"gpu:01P0-HL2080A0-15-{number}" for number in ids] == [
        finding.port.sensor.domain.id for finding in found if finding.port is not None
    ]
    assert all(isinstance(finding.port, EnergyCounter) and finding.fallback is not None for finding in found)


def test_a_gaudi_whose_counter_stands_at_zero_goes_by_its_power(bare: Surroundings) -> None:
    """Where neither answers, the rating stands in, between those of its generations."""
    [by_power], _ = discover("hpu", around=replace(bare, load=Gaudi([Card(millijoules=0)]).load))
    dead = Gaudi([Card(error=OSError("device lost"))])
    broken, model = discover("hpu", around=replace(bare, load=dead.load))[0]

    assert isinstance(by_power.port, PowerGauge)
    assert 250.0 == pytest.approx(by_power.port.read_power().watts)
    assert "stands at zero" in by_power.reason
    assert ("device lost" in broken.reason, "Gaudi (modelled)") == (True, model.port and model.port.sensor.domain.name)


def test_xla_is_amazon_s_where_its_library_is_loaded() -> None:
    """Nothing is imported to find that out."""
    assert "xla" == kind_of("xla:0", {})
    assert "neuron" == kind_of("xla", {"torch_neuronx": object()})
    assert "" == kind_of(None)


def test_other_kinds_are_not_modelled(bare: Surroundings) -> None:
    """What no row of the table fits stays a finding with the reason."""
    assert modelled("npu", 0, bare) is None
    assert ([], []) == discover("cuda", around=bare)


def test_a_rating_that_no_source_gives_is_none() -> None:
    """The figure of a board of two dies is halved for each device."""
    assert rating_of("Trainium") is None
    assert rating_of("no such part") is None
    assert rating_of_family("nothing", "no such") is None
    assert (280.0, 280.0) == (rating_of("mi250X") or ())[1:3]


def test_a_machine_says_what_it_was_made_for(tmp_path: Path) -> None:
    """Before anybody knows what the training computes on; a machine of neither kind says nothing."""
    product = tmp_path / "sys/class/dmi/id/product_name"
    product.parent.mkdir(parents=True)
    found = [likely({}, tmp_path, "linux")]
    for name in ("trn1.32xlarge\n", "inf2.xlarge\n", "p5.48xlarge\n"):
        product.write_text(name, "utf-8")
        found.append(likely({}, tmp_path, "linux"))
    (tmp_path / "sys/bus/pci/drivers/habanalabs").mkdir(parents=True)
    found += [likely({}, tmp_path, "linux"), likely({"TPU_ACCELERATOR_TYPE": "v4-8"}, tmp_path, "linux")]

    assert [None, "neuron", "neuron", None, "hpu", "xla"] == found
    assert "mps" == likely({}, tmp_path, "darwin")


def test_a_model_that_may_not_be_in_use_does_not_count(bare: Surroundings) -> None:
    """It says when it does."""
    model = modelled("mps", 0, bare)
    assert model is not None
    asleep = only_in_use(model)

    assert (None, True) == (asleep.port, asleep.reason.startswith("counted once a training computes on it: modelled, "))

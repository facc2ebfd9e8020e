"""Trainings on accelerators that nothing can meter: the run goes on, and says what is in no figure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from lightning_carbon import Meter
from lightning_carbon.cli.doctor.examine import examine
from lightning_carbon.ranks import Ranks
from lightning_carbon.report.markdown import summary_markdown
from lightning_carbon.settings import configure
from lightning_carbon.sources.discovery import discover

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord


def trained(ledger: Path, computes_on: str, ranks: Ranks | None = None) -> RunRecord:
    """The record of a run on a device, as a trainer starts it."""
    device = torch.device(computes_on)
    with Meter.of(configure(ledger=ledger), devices=(), ranks=ranks or Ranks(), computes_on=device) as meter:
        meter.step_done()
    return meter.record


@pytest.mark.parametrize(("computes_on", "name"), [("xpu", "Intel GPU")])
def test_an_accelerator_without_a_sensor_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, computes_on: str, name: str
) -> None:
    """One warning, and its absence in the record, the summary and the report."""
    record = trained(tmp_path, computes_on)
    warnings = [message for message in caplog.messages if "not metered" in message]

    assert [name] == [finding.subject for finding in record.energy.absent if finding.source == "accelerator"]
    assert [True] == [message.startswith(f"{name}: not metered: ") for message in warnings]
    assert f"{name}: not metered" in record.summary()
    assert f"{name}: not metered" in summary_markdown(record)


@pytest.mark.parametrize(("computes_on", "name"), [("mps", "Apple GPU"), ("hpu", "Gaudi"), ("xla", "TPU")])
def test_an_accelerator_with_a_rating_is_modelled_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, computes_on: str, name: str
) -> None:
    """One warning, and a domain of its own that record and summary call modelled; nothing says it is missing."""
    record = trained(tmp_path, computes_on)
    [domain] = [domain for domain in record.energy.domains if domain.kind == "gpu"]

    assert (f"{name} (modelled)", "modelled") == (domain.name, domain.provenance)
    assert [] == [finding for finding in record.energy.absent if finding.source == "accelerator"]
    assert 1 == caplog.text.count("no sensor shows its power, so it is modelled")
    assert f"modelled: GPU {name} (modelled)" in record.summary()


def test_a_processor_is_no_accelerator(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A training on the processor lacks nothing."""
    record = trained(tmp_path, "cpu")

    assert [] == [finding for finding in record.energy.absent if finding.source == "accelerator"]
    assert "not metered" not in caplog.text


def test_rank_0_speaks_for_its_host(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second rank of a host, which has nothing to meter, warns neither of that nor of the accelerator."""
    trained(tmp_path, "xpu", Ranks(1, 1, 2, "host", local_size=2))

    assert "not metered" not in caplog.text
    assert "nothing can be metered" not in caplog.text


def test_the_doctor_shows_what_a_machine_was_made_for(tmp_path: Path) -> None:
    """The parts of a machine of Amazon's, of Google's and with Gaudis, each with its model, before anything trains."""
    product = tmp_path / "sys/class/dmi/id/product_name"
    product.parent.mkdir(parents=True)
    product.write_text("trn2.48xlarge\n", "utf-8")
    environ = {"LIGHTNING_CARBON_POWERCAP_ROOT": str(tmp_path / "none"), "LIGHTNING_CARBON_HOME": str(tmp_path)}
    texts = [examine(seconds=0.01, environ=environ, root=tmp_path).as_json()]
    texts.append(examine(seconds=0.01, environ={**environ, "TPU_ACCELERATOR_TYPE": "v4-8"}, root=tmp_path).as_json())
    (tmp_path / "sys/bus/pci/drivers/habanalabs").mkdir(parents=True)
    texts.append(examine(seconds=0.01, environ=environ, root=tmp_path).as_json())
    shown = [[source for source in json.loads(text)["sources"] if source["source"] == "rated"] for text in texts]

    assert ["gpu:neuron:0", "gpu:xla:0", "gpu:hpu:0"] == [source["domain"] for [source] in shown]
    assert all(source["watts"] > 0 for [source] in shown)


def test_each_rank_of_a_host_has_a_part_of_its_own(tmp_path: Path) -> None:
    """By its number there, so that the parts of four ranks are four, and a list of numbers is as many."""
    names = set[str]()
    for rank in range(2):
        record = trained(tmp_path / str(rank), "xla", Ranks(rank, rank, 2, "host", local_size=2))
        names |= {domain.id for domain in record.energy.domains if domain.kind == "gpu"}
    several = discover((0, 1, 2, 3), tmp_path, {}, root=tmp_path, computes_on="xla")

    assert {"gpu:xla:0", "gpu:xla:1"} == names
    assert 4 == len([finding for finding in several if finding.source == "rated"])

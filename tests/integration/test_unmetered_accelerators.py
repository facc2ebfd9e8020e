"""Trainings on accelerators that nothing can meter: the run goes on, and says what is in no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lightning_carbon import Meter
from lightning_carbon.ranks import Ranks
from lightning_carbon.report.markdown import summary_markdown
from lightning_carbon.settings import configure

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

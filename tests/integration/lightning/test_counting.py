"""Samples and tokens of steps, whatever the batches are and wherever they lie."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import parts_of
from tests.integration.lightning.support import PACKAGES, make_callback, make_trainer

ROWS = 2
WIDTH = 5
PADDING = 2
STEPS = 3


class Rows(IterableDataset[dict[str, Tensor]]):
    """Batches of two rows, of which the first has two places of padding."""

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        """One after the other."""
        for _ in range(STEPS):
            mask = torch.ones(ROWS, WIDTH, dtype=torch.int64)
            mask[0, -PADDING:] = 0
            yield {"input_ids": torch.ones(ROWS, WIDTH, dtype=torch.int64), "attention_mask": mask}


def language_model(package: str) -> Any:  # noqa: ANN401 - a module of either package
    """A module that takes such batches."""

    class Model(import_module(package).LightningModule):  # type: ignore[misc]
        """A table."""

        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(10, 1)

        def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
            """Look up."""
            loss: Tensor = self.table(batch["input_ids"]).mean()
            return loss

        def configure_optimizers(self) -> object:
            """Plain descent."""
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Model()


def elsewhere(package: str) -> object:
    """A strategy whose device has no values to read at all, so that reading one would be an error."""

    class Device(import_module(f"{package}.accelerators").CPUAccelerator):  # type: ignore[misc]
        """Stands in for an accelerator."""

        def setup_device(self, device: torch.device) -> None:
            """Take any."""

    class Strategy(import_module(f"{package}.strategies").SingleDeviceStrategy):  # type: ignore[misc]
        """Computes without values."""

        def teardown(self) -> None:
            """Leave the module where it is."""

    return Strategy(device=torch.device("meta"), accelerator=Device())


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("device", ["host", "elsewhere"])
def test_padding_is_no_token(tmp_path: Path, package: str, device: str) -> None:
    """It is told by the mask before the batch goes to the device, where its values would have to be waited for."""
    callback = make_callback(tmp_path)
    there: dict[str, object] = {"accelerator": "auto", "strategy": elsewhere(package)}
    trainer = make_trainer(package, tmp_path, callback, **(there if device == "elsewhere" else {}))
    trainer.fit(language_model(package), DataLoader(Rows(), batch_size=None))
    record = callback.record
    assert record is not None

    names = (record.project, record.run_id)
    [part] = parts_of(DirectoryRunStore(tmp_path / "ledger").read_journals(*names), *names)

    assert (STEPS * ROWS, STEPS * (ROWS * WIDTH - PADDING)) == (record.samples, record.tokens)
    assert STEPS * PADDING == part.beat.padding
    assert "batch_to_device" not in vars(trainer.strategy)

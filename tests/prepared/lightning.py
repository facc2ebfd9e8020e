"""A Lightning module and its loaders."""

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

__all__ = ["model", "train_loader", "val_loader"]


class Model(LightningModule):
    """A line through points."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 1)

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        """Fit zero."""
        loss: Tensor = self.layer(batch).square().mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Likewise, without learning."""
        self.log("val/loss", self.layer(batch).square().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain descent."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


model = Model()
train_loader: DataLoader[Tensor] = DataLoader(torch.randn(240, 8), batch_size=4)  # type: ignore[arg-type]  # a tensor has items and a length
val_loader: DataLoader[Tensor] = DataLoader(torch.randn(16, 8), batch_size=4)  # type: ignore[arg-type]  # likewise

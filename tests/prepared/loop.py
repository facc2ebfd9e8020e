"""A model, an optimizer and batches of tokens for a loop without a framework."""

import torch
from torch import Tensor, nn

__all__ = ["evaluate", "loader", "model", "optimizer"]


class Model(nn.Module):
    """Scores its own input; what matters is that it takes time."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(16, 64)
        self.layer = nn.Linear(64, 16)

    def forward(self, batch: Tensor) -> Tensor:
        """The loss of a batch.

        Returns:
            A scalar.
        """
        return nn.functional.cross_entropy(self.layer(self.embedding(batch)).flatten(0, 1), batch.flatten())


def evaluate(model: nn.Module) -> float:
    """Score a batch without learning."""
    with torch.no_grad():
        return float(model(loader[0]))


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = list(torch.randint(16, (40, 8, 32)))

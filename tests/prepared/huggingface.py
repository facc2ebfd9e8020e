"""A model as transformers trains them, and a data set."""

import torch
from torch import Tensor, nn

__all__ = ["dataset", "model"]


class Model(nn.Module):
    """Guesses a token by the token itself."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(16, 8)
        self.output = nn.Linear(8, 16)

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Score each token.

        Returns:
            The loss and the scores.
        """
        logits = self.output(self.embedding(input_ids))
        return {"loss": nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()), "logits": logits}


model = Model()
dataset = [{"input_ids": ids, "labels": ids} for ids in torch.randint(16, (160, 12))]

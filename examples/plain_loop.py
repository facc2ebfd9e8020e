"""Meter a training loop of one's own: a small recurrent network that learns to spell like Shakespeare.

``python examples/plain_loop.py`` takes about ten seconds on two cores. A loop says three things to the meter: which
phase it is in, that a step is done, and what the step held.
"""

import argparse
import math

import torch
from corpus import read_text
from torch import Tensor, nn

from lightning_carbon import Meter

EPOCHS = 3
SHOWN = ("energy/row_joules", "power/total_watts", "carbon/row_grams_co2e")
BATCH, LENGTH, WIDTH = 64, 64, 128


class Speller(nn.Module):
    """Guess each next byte of a text from those before."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(128, WIDTH)
        self.recurrent = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.output = nn.Linear(WIDTH, 128)

    def forward(self, text: Tensor) -> Tensor:
        """Score each next byte, and say how far off the text was.

        Args:
            text: ASCII codes, batch by length.

        Returns:
            The mean loss, in nats a byte.
        """
        logits = self.output(self.recurrent(self.embedding(text[:, :-1]))[0])
        loss: Tensor = nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        return loss


def main() -> None:
    """Train for a few epochs and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=80, help="steps of an epoch (default: %(default)s)")
    steps: int = parser.parse_args().steps

    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    codes = torch.frombuffer(bytearray(read_text(), "ascii"), dtype=torch.uint8)
    windows = codes.long().unfold(0, LENGTH + 1, LENGTH)
    windows = windows[torch.randperm(len(windows))].to(device)
    validation, training = windows[:512], windows[512:]
    model = Speller().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

    with Meter(project="demo", run_name="plain_loop") as meter:
        for epoch in range(EPOCHS):
            with meter.phase("train"):
                model.train()
                for _ in range(steps):
                    batch = training[torch.randint(len(training), (BATCH,), device=device)]
                    loss = model(batch)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    meter.step_done(samples=len(batch), tokens=batch.numel())
            with meter.phase("validate"), torch.no_grad():
                model.eval()
                bits = model(validation).item() / math.log(2)
            # What could not be measured has no key.
            took = [f"{name} {value:.3g}" for name, value in meter.row().as_metrics().items() if name in SHOWN]
            print(f"epoch {epoch}: {bits:.2f} bits/byte", *took, sep=", ")

    if meter.record is not None:
        print(f"\n{meter.record.summary()}")


if __name__ == "__main__":
    main()

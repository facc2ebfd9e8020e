"""Meter a loop on Accelerate: the tracker in the second line is all that the meter needs."""

import torch
from accelerate import Accelerator

from lightning_carbon import CarbonTracker

model = torch.nn.Linear(64, 1)
accelerator = Accelerator(log_with=["tensorboard", CarbonTracker(region="SE", project="demo")], project_dir="runs")
model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1))
accelerator.init_trackers("accelerate_loop")
for step in range(50):
    loss = model(torch.randn(32, 64, device=accelerator.device)).square().mean()
    accelerator.backward(loss)
    optimizer.step()
    optimizer.zero_grad()
    accelerator.log({"loss": loss.item()}, step=step)
accelerator.end_training()

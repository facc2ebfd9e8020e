"""A program of Hydra, each of whose jobs meters a step into a relative ledger and tells its loss."""

import hydra
from omegaconf import DictConfig

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU


@hydra.main(version_base="1.3", config_path=None)
def main(config: DictConfig) -> None:
    """Meter a step."""
    with Meter(ledger="ledger", project="jobs", sources=[SimulatedGPU()]) as meter:
        meter.step_done()
    meter.tell_trial((config.lr - 0.2) ** 2, objective="loss", direction="minimize")


main()

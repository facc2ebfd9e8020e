"""``lightning-carbon estimate``: the energy, CO2e and cost of a training, before any run."""

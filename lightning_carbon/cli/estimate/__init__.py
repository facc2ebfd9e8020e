"""``lightning-carbon estimate``: what a training will use, stand for and cost, before any run."""

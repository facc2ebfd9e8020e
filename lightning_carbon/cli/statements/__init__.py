"""``lightning-carbon statement`` and ``card``."""

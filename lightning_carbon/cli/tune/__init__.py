"""``lightning-carbon tune``: what power limits save, and what they cost in time."""

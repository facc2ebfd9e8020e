"""``lightning-carbon watch``: a run under way, by its journals alone."""

"""``lightning-carbon study``: the study of 2019, and its method on this machine."""

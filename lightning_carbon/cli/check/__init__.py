"""``lightning-carbon check``: runs compared with a committed baseline."""

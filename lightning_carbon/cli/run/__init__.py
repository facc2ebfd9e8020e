"""``lightning-carbon run``: the meter around any program."""

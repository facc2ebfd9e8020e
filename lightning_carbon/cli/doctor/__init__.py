"""``lightning-carbon doctor``: the sensors of this machine, and why the rest cannot be metered."""

"""``lightning-carbon doctor``: what can be metered on this machine, by what, and why not the rest."""

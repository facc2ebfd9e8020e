"""The study's Table 4: what a model, a sweep and a whole development took, from the runs of a ledger."""

"""The study's Table 4: the energy of a model, a sweep and a whole development, from the runs of a ledger."""

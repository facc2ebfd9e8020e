"""The shared parts of the integrations: guarded hooks, counting of batches, starting a meter for a trainer."""

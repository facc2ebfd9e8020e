"""What the integrations share: guarded hooks, counting of batches, starting a meter for a trainer."""

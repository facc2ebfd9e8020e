"""One suite a port, run on the real adapters and on the fakes."""

"""The ledger: a folder of runs, with their journals and records."""

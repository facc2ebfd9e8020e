"""The ledger on real files and with real processes."""

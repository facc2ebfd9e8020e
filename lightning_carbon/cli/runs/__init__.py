"""``lightning-carbon runs``: the ledger as a table, its sums, and single runs of it."""

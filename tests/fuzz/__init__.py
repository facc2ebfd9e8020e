"""Files of the ledger that are changed at random, and read: ``make fuzz``, for as long as it is told to."""

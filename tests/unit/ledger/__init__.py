"""What is written about a run, on stores in memory."""

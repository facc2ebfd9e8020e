"""What is told about a run: the rows while it runs, the record when it has ended, and the summary for people. Pure."""

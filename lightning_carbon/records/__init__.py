"""The data of a run: its rows while it runs, its record once it has ended, and its summary for people. Pure."""

"""A run for people to look at: figures and tables for the logs of a trainer, made of a record and its rows."""

"""Reports for people: figures and tables for the logs of a trainer, made from a record and its rows."""

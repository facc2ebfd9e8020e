"""``lightning-carbon report``: a page about a run, or about the runs of a project."""

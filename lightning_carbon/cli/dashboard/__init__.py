"""``lightning-carbon dashboard``: the pages of reports, served to a browser on this machine."""

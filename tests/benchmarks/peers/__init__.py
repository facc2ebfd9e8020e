"""The same jobs done with us and with our peers, each in an environment of its own, side by side in one run."""

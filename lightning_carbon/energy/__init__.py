"""Energy as a rising curve: readings, timelines, and their attribution to intervals. Pure."""

"""What a step of a run costs, and how that compares with a run of before. Pure."""

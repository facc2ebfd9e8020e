"""Whether a tree costs more than an earlier one: both measured in turn, in one run."""

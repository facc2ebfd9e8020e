"""What the electricity of a place stands for, and how much of it a data centre spends beside its computers."""

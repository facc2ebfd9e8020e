"""What a training will use, stand for and cost, before it has run: planned hours, rated power and prices."""

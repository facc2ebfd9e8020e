"""Laws of curves, timelines and their attribution."""

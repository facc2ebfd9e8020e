"""The emissions of a place's electricity, and the electricity that a data centre needs beyond its computers."""

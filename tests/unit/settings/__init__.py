"""Laws of the packaged factors."""

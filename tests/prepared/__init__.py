"""What the reader of a block of code is supposed to have already: a model, its data, a sensor's file."""

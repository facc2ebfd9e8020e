"""The callbacks of the trainers that people use, each in a module of its own that loads its framework when used."""

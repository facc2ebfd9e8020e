"""The callbacks for trainers, each in a module of its own that loads its framework when it is used."""

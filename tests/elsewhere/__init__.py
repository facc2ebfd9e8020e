"""Another system, played by this one: what the package does where Linux's modules, calls and folders are missing."""

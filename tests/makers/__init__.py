"""Stand-ins for the libraries of makers of accelerators, after their published interfaces."""

"""CPUs and memory: counters where the kernel shows them, a model elsewhere, and the part of them that a job may use."""

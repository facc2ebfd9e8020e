"""CPUs and memory: counters where the kernel shows them, a model elsewhere, and the share that a job may use."""

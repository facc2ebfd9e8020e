"""Carbon intensities from the network, for runs whose user has asked for a provider by name."""

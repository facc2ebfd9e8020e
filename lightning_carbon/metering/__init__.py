"""The only stateful part: the configuration, the sampling thread, and the engine that turns readings into rows."""

"""What the tests on a GPU do, done without one: on the stand-in driver, on loads of known power, on the processor."""

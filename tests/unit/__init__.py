"""Laws and examples of the package's own code: no files, no devices, no patching."""

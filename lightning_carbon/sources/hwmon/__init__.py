"""Sensors that Linux shows in its own tree: of machines, of GPUs of AMD and Intel, of Arm processors and of Jetsons.

Everything is read below a root folder, so that a recorded tree stands in for a machine. What is no number, a file that
cannot be read and a reading that hangs each cost their sensor, with the reason.

References:
    * https://docs.kernel.org/hwmon/sysfs-interface.html
    * https://docs.kernel.org/hwmon/acpi_power_meter.html
    * https://docs.kernel.org/gpu/amdgpu/thermal.html
"""

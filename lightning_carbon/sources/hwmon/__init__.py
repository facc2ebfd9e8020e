"""Sensors in Linux's hwmon tree: of machines, of GPUs by AMD and Intel, of Arm processors and of Jetsons.

Everything is read below a root folder, which lets a recorded tree stand in for a machine. A text that is no number, a
file that cannot be read and a reading that hangs each cost their sensor, with the reason.

References:
    * https://docs.kernel.org/hwmon/sysfs-interface.html
    * https://docs.kernel.org/hwmon/acpi_power_meter.html
    * https://docs.kernel.org/gpu/amdgpu/thermal.html
"""

"""The study's Table 3, measured: from the journals of a training to the row of a whole one."""

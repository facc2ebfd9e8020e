"""The study's Table 3, measured: from the journals of a training to its row, projected to the whole training."""

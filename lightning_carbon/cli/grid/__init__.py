"""``lightning-carbon grid``: places, series of carbon intensities, and the same energy elsewhere."""

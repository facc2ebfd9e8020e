"""Real trainers of both packages, on the processor, with sources whose true energy is known."""

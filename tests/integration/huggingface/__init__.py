"""Real Trainers of transformers, on the processor, with sources whose true energy is known."""

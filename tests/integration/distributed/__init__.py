"""Real processes, started as users start them: torchrun, ``accelerate launch``, Lightning's own strategies."""

"""How the figures of a GPU are made. Devices, sensors and loads are arguments, so that all of it runs without one, too.

``watching`` reads sensors; ``curves`` says what readings tell; ``loads`` keeps a device busy in known shapes;
``latency`` times its events; ``attribution`` holds the energy of steps against boundaries that were waited for;
``visible`` asks CUDA and the meter which GPUs they see; ``throughput`` trains with and without the callback in turns;
``results`` writes it all down.

Needs nothing but what an image for CUDA has: torch, pynvml, a trainer.
"""

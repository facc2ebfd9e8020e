"""What only a machine with an NVIDIA GPU can show; `make test-gpu`.

It is to end within nine minutes on one GPU of a data centre. What each part is given, in seconds:

=================  ===  ==============================================================================
test_attribution    20  120 steps of 50 ms, a thousand events
test_cuda_clock     30  the clock of steps
test_sensors        80  10 of ticks, 21 of lags, four shapes of load of 9 each
test_step_path      20  three short trainings
test_study         170  four models, 21 each, and what it takes them to begin
test_throughput    150  three models, 20 each, and what it takes two trainings of each to begin
test_visible        40  23 processes, six at a time
=================  ===  ==============================================================================
"""

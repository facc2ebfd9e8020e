"""``lightning-carbon run``: the meter around any program."""

# A line for each paragraph, as typer keeps line ends.
RUN_HELP = (
    "Meter any program, such as: run -- python train.py --epochs 3\n\n"
    "Or what runs already: run --pid 4711, until it ends or Ctrl-C; run --machine --for 10m\n\n"
    "Or as a trial of a sweep: run --sweep rates --trial 7 -- python train.py --rate 0.1\n\n"
    "Or as a part of another run: run --join step-1 --role rollout -- vllm serve MODEL\n\n"
    "What the program reads and writes passes through untouched, and so do its exit code and signals. "
    "The summary goes to stderr when it has ended."
)

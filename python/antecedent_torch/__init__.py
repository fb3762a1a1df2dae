"""What computes behind `--engine torch`. One file a concept: frames (the wire), server (requests), opening (checkpoints),
decoder (blocks, steering, readout), prepared and measures (objectives), generation, training."""

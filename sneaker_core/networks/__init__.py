"""Network architectures, preprocessing, checkpoints, and how outputs become an answer."""

"""The Runs page: training runs and hyperparameter search."""

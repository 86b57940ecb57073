"""How good a model is: one prediction table per evaluation, and every metric derived from it."""

"""How good is a model: one table of predictions, and everything that follows from it."""

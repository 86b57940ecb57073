"""Trying a recipe for seconds before it is trained for hours: how long, at what learning rate, on which pictures."""

"""Explanations: attribution maps, how they are drawn, and sanity checks of them."""

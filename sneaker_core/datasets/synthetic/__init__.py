"""Synthetic photos of fictional sneakers: a dataset that needs no download and whose flaws are known."""

"""Datasets: photos with labels, their checks and reviews, and their splits."""

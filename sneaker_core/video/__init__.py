"""Clips: reading them, finding and following the sneakers in them, one answer for each, and a marked video."""

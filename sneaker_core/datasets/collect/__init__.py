"""Collect photos from the web: search queries, image search, and safe downloads."""

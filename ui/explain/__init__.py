"""Widgets of the Explain page."""

"""Views of the Identify page."""

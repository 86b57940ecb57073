"""Views of the Teach page."""

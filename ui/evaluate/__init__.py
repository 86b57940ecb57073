"""Views of the Evaluate page."""

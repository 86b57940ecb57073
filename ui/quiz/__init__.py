"""Views of the Quiz page."""

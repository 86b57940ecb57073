"""The Runs page: what was trained, and the search for the best settings."""

"""Data quality: measures of each photo, comparisons between photos, and the findings about a dataset."""

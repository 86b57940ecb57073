"""The sections of the page that shows a dataset."""

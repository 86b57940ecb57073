"""What may be wrong with photos: measures of each, comparisons between them, and the table of findings."""

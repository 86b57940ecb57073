"""The one reader of photo folders and archives: which files there are, and which class and split each belongs to."""

"""Read photo folders and archives: their files, and the class and split of each."""

"""Photos from the web: what to search for, which links there are, how they are fetched safely."""

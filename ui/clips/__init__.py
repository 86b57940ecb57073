"""The Clips page: a clip, the sneakers that were followed through it, and what each is."""

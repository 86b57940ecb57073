"""Networks, what is done to a photo before them, and the folder that a trained one is kept in."""

"""From the bytes of a photo to an answer and its reason."""

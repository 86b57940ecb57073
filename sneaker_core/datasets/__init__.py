"""Photos in folders: what there is, what repeats, and which photo serves for what."""

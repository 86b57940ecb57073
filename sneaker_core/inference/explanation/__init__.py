"""Why a network answers as it does: maps over a photo, how they are drawn, and how much they are worth."""

"""Story mode: seven full-screen steps for people who have never heard of a confusion matrix."""

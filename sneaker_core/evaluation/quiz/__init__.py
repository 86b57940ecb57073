"""The quiz "You or the model": its questions, the votes of everybody who plays, and the score card."""

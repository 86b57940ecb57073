"""Decoding of photos from outside, in processes that can be ended: a hostile file costs its own answer and no other."""

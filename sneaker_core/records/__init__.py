"""Schemas of every file that SoleScope writes and reads again, and the one way to read them."""

"""Serving SoleScope to phones on the local network, over HTTPS, with as little access as possible."""

"""Signing in with an account of an identity provider (OpenID Connect), if one is configured."""

"""Inference: predictions, explanations, similar photos, and models shared between requests."""

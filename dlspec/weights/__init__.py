"""Weights: canonical names and layouts, and how each framework holds them."""

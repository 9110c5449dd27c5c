"""Figures: each function draws one exhibit into a figure or sub-figure from data and stored statistics."""

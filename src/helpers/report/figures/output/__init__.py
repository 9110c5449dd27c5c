"""Figures saved, kept to be drawn again, and checked."""

"""Text made from statistics and settings: every number keeps the row or the setting that it comes from."""

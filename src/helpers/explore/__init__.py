"""Exploring a cohort: what-if views that show the code they come from and never touch published results."""

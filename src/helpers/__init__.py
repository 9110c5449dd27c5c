"""Shared helpers of the compendium: cohort, clinical, stats, results, report, published, pipeline."""

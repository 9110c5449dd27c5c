"""A cohort of nobody, rebuilt from printed summaries so that every printed number is met at once."""

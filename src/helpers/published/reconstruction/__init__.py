"""A cohort of people who never lived, rebuilt from printed summaries so that every printed number is met at once."""

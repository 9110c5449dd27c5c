"""What a cohort is: its configuration, dictionary, raw tables, cleaning and the account of every row."""

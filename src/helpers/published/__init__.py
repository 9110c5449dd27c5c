"""The printed numbers of the paper, and the cohort rebuilt from them."""

"""A run: plan, order, inputs and their digests, steps and their stages, provenance, what is stale."""

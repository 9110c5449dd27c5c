"""Dask and SLURM: steps of a run carried out on many machines."""

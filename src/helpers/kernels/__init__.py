"""Jupyter kernels: started, shared out, forked from a process with loaded libraries."""

"""How it runs: paths, tasks, kernels, provenance and the command line."""

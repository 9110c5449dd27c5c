"""What journals ask of figures and tables."""

"""What readers see: figures, tables and sentences drawn from analysis tables and statistics."""

"""What statisticians define: arrays and data frames in, numbers out."""

"""What the study asks: each module answers one notebook's questions and stores every number it finds."""

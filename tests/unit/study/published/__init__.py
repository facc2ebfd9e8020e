"""What the study published."""

"""What the doctor finds and shows."""

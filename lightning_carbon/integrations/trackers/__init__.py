"""What a tracker is given beside the rows."""

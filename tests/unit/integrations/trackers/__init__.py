"""What is shown in trackers, and how."""

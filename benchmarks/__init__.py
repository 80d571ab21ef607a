"""What the system costs, measured side by side with what the machine can do."""

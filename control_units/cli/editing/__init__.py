"""What changes resources by a plan that is shown first."""

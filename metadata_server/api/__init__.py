"""The wire: converts messages and refusals; decides nothing."""

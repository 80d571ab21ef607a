"""Taking files in: CSV, JSON or YAML, pasted, dropped or chosen, with a plan before anything is done."""

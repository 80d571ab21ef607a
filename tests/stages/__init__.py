"""What tests stand on: real databases and real programs, started, broken and ended on purpose."""

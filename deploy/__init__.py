"""How the programs are put to work together: containers, plain processes, a cluster."""

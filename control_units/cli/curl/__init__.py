"""`--as-curl`: the calls of a command, as calls of REST that anybody can make."""

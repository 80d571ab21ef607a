"""`mds operation`: orders while they are carried out and after."""

"""`bdp erase`: a customer taken out of every store of the platform; a module a store."""
